import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from slicenet import embedded
from slicenet.checkpoint import read
from slicenet.cohort import find_cohort
from slicenet.cohort.roles import read_roles
from slicenet.commands import main
from slicenet.errors import CheckpointError
from slicenet.images.write import write_map
from slicenet.phantom import PhantomSettings, add_lesions, make_phantom
from slicenet.recipe import resolve

FOLDER = Path(embedded.__file__).parent
SHARED = Path(os.environ.get("SLICENET_SHARED", Path(__file__).parents[3] / "shared"))
IXI = SHARED / "data/ixi-hh"
with_ixi = pytest.mark.skipif(not IXI.is_dir(), reason="needs the scans of IXI")


@pytest.fixture(scope="module")
def model():
    return read(embedded.place())


@pytest.fixture(scope="module")
def tested():
    """A healthy scan that it was neither fitted nor calibrated on."""
    roles = read_roles(FOLDER / "split.tsv")
    cohort = find_cohort([IXI])
    return next(cohort[i] for i, case in enumerate(cohort.cases) if roles[case.subject] == "test")


def codes(anomalies):
    return {notice.code for notice in anomalies.volume.notices}


def test_the_split_is_60_20_20_with_the_raw_scans_among_the_tested():
    roles = read_roles(FOLDER / "split.tsv")
    assert Counter(roles.values()) == {"fit": 60, "calibrate": 20, "test": 20}
    native = ("IXI013", "IXI131", "IXI213", "IXI334", "IXI445", "IXI538")
    assert {roles[subject] for subject in native} == {"test"}


def test_the_licence_of_the_weights_is_beside_them():
    text = (FOLDER / "LICENSE").read_text("utf-8")
    assert "creativecommons.org/licenses/by-sa/3.0" in text
    assert "IXI, CC BY-SA 3.0" in text


def test_without_its_file_it_says_how_to_train_one(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "FILE", tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="no model named") as caught:
        embedded.place()
    assert "slicenet train" in caught.value.hint
    assert embedded.told().startswith("no embedded model")
    (tmp_path / "none.safetensors").touch()
    assert embedded.place() == tmp_path / "none.safetensors"
    assert "CC BY-SA 3.0" in embedded.told()


def test_the_file_is_small_and_of_this_preset(model):
    assert embedded.FILE.stat().st_size < 32e6
    assert model.half
    assert model.backend == resolve(embedded.NAME).backend
    assert model.name == "simpleslicenet"  # the map passes through its flow


def test_it_says_what_it_was_fitted_and_calibrated_on(model):
    assert (len(model.origin.fitted), len(model.origin.calibrated)) == (60, 20)
    assert embedded.LICENCE in model.origin.licence
    assert not model.origin.synthetic
    assert model.detector.calibration.subjects == 20
    assert model.detector.domain.subjects == 80


def test_its_card_tells_its_thresholds(model):
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    calibration = model.detector.calibration
    for value, ends in zip(calibration.thresholds().values(), calibration.intervals, strict=True):
        assert f"| {value:.4g} | {ends[0]:.4g} to {ends[1]:.4g} |" in card


@with_ixi
def test_no_scan_of_those_that_are_tested_taught_it(model):
    roles = read_roles(FOLDER / "split.tsv")
    told = {role: set() for role in ("fit", "calibrate", "test")}
    cohort = find_cohort([IXI])
    for case, volume in zip(cohort.cases, cohort, strict=True):
        told[roles[case.subject]].add(volume.digest)
    assert set(model.origin.fitted) == told["fit"]
    assert set(model.origin.calibrated) == told["calibrate"]


def test_score_without_a_model_uses_it_and_flags_a_t2(tmp_path):
    every = PhantomSettings(spacing=3.0, contrasts=("T1w", "T2w"))
    phantom = make_phantom(every, 0, 0, False).volume
    write_map(tmp_path / "t2.nii.gz", phantom.voxels[1].numpy(), phantom.grid)
    words = ["score", str(tmp_path / "t2.nii.gz"), "--out", str(tmp_path / "maps")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "embedded model t1-ixi (CC BY-SA 3.0" in done.stderr
    assert "W_DOMAIN" in done.stderr
    about = json.loads((tmp_path / "maps/run.json").read_text("utf-8"))
    assert "CC BY-SA 3.0" in about["model"]["licence"]


@with_ixi
def test_a_healthy_scan_is_known_and_an_inverted_one_is_not(model, tested):
    healthy = model.detector.score(tested)
    assert "W_DOMAIN" not in codes(healthy)
    assert float(healthy.mask("fpr:0.05")[tested.brain].float().mean()) < 0.1
    top = tested.voxels[:, tested.brain].max()
    other = replace(tested, voxels=(top - tested.voxels) * tested.brain, source="")
    assert "W_DOMAIN" in codes(model.detector.score(other))


@with_ixi
def test_lesions_in_a_scan_that_it_never_saw_stand_out(model, tested):
    phantom = add_lesions(tested, PhantomSettings(), 0, 0)
    found = model.detector.score(phantom.volume)
    scores, truth = found.scores, phantom.truth
    assert scores[truth].median() > torch.quantile(scores[tested.brain & ~truth], 0.9)
    assert np.isfinite(scores.numpy()).all()
