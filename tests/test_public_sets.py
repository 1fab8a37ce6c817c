"""Public data sets from the command line: healthy ones fit and calibrate, others are judged."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from slicenet.cohort.roles import read_roles
from slicenet.commands import main
from slicenet.images.write import write_map, write_mask

SITES = ("Guys", "HH")


def slicenet(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def ixi(make_brain, tmp_path_factory):
    top = tmp_path_factory.mktemp("IXI-T1")
    for index in range(10):
        volume = make_brain(index)
        name = f"IXI{index:03}-{SITES[index % 2]}-{800 + index:04}-T1.nii.gz"
        write_map(top / name, volume.voxels[0].numpy(), volume.grid)
    return top


@pytest.fixture(scope="module")
def wmh(make_brain, tmp_path_factory):
    """Two patients whose truth has a lesion and, larger, another pathology that does not count."""
    top = tmp_path_factory.mktemp("WMH")
    for number in (0, 2):
        volume = make_brain(20 + number, lesion=True)
        folder = top / f"training/Utrecht/{number}"
        for name in ("pre/T1", "pre/FLAIR"):
            write_map(folder / f"{name}.nii.gz", volume.voxels[0].numpy(), volume.grid)
        labels = np.zeros(volume.brain.shape, np.uint8)
        labels[12:24, 12:24, 12:24] = 2
        labels[24:30, 24:30, 16:22] = 1
        write_mask(folder / "wmh.nii.gz", labels, volume.grid)
    return top


def test_a_split_fits_calibrates_and_judges_across_data_sets(ixi, wmh, tmp_path):
    split = tmp_path / "split.tsv"
    done = slicenet("split", ixi, "--out", split, "--fit", "0.4", "--calibrate", "0.4")
    assert done.exit_code == 0, done.output
    assert "Guys: 2 fit, 2 calibrate, 1 test" in done.stdout
    words = ("--backend", "zscore", "--set", "frame.spacing=[4,4,4]", "--out", tmp_path / "run")
    done = slicenet("train", ixi, "--split", split, *words)
    assert done.exit_code == 0, done.output
    assert "fitted on 4 volumes, calibrated on 4 others" in done.stdout
    for place, words in ((wmh, ()), (ixi, ("--split", split))):
        done = slicenet("score", tmp_path / "run", place, *words, "--out", tmp_path / place.name)
        assert done.exit_code == 0, done.output
    tested = {f"sub-{subject}" for subject, role in read_roles(split).items() if role == "test"}
    assert {path.name for path in (tmp_path / ixi.name).glob("sub-*")} == tested
    done = slicenet("evaluate", tmp_path / wmh.name, "--truth", wmh, "--healthy",
                    tmp_path / ixi.name, "--bootstrap", 20, "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    cases = {case["name"]: case for case in json.loads(done.stdout)["cases"]}
    assert len(cases) == 4
    # The first label alone: 6 x 6 x 6 voxels of 27 cubic millimetres.
    assert cases["sub-Utrecht-0"]["lesion_ml"] == pytest.approx(216 * 0.027)
    assert cases["sub-Utrecht-0"]["average_precision"] > 0.5


def test_all_of_a_set_is_checked_with_its_truth(wmh):
    done = slicenet("check", wmh, "--suffix", "FLAIR", "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert [case["subject"] for case in document["cases"]] == ["Utrecht-0", "Utrecht-2"]
    assert {case["group"] for case in document["cases"]} == {"lesioned"}
    assert "read as WMH challenge, 2 subjects" in document["notices"][0]["message"]
