import json
import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from slicenet.cache import Cache
from slicenet.checkpoint import read
from slicenet.cohort import find_cohort
from slicenet.comparing import divide, run
from slicenet.comparing.trial import SAMPLES, Ground, Trial
from slicenet.inspection import inspect_to_learn, inspect_to_test
from slicenet.leaderboard import COLUMNS
from slicenet.recipe import resolve
from slicenet.watch import silent

SMALL = ("frame.spacing=[8,8,8]",)


def prepared(folder, cache):
    split = divide(find_cohort([folder]), 0.25, 0)
    frame = resolve("zscore", None, SMALL).backend.build().frame
    learnt = inspect_to_learn(split.healthy, frame)
    tested = inspect_to_test(split.tested, frame, learnt)
    return Ground(learnt, tested, cache, threads=torch.get_num_threads())


@pytest.fixture(scope="module")
def ground(brains, tmp_path_factory):
    return prepared(brains, Cache(tmp_path_factory.mktemp("features")))


@pytest.fixture(scope="module")
def trial(ground, tmp_path_factory):
    trial = Trial(resolve("zscore", None, SMALL, 1), ground, tmp_path_factory.mktemp("seed-1"))
    trial.carry_out()
    return trial


def test_its_folder_tells_what_running_it_gave(trial, ground):
    outcome = trial.outcome()
    result = run(
        trial.recipe, ground.learnt, ground.tested.cohort, silent, ground.cache, ground.device
    )
    assert set(outcome.estimates) == set(COLUMNS)
    for key, estimate in outcome.estimates.items():
        assert estimate.value == result.evaluation[key]
    assert [case["name"] for case in outcome.cases] == [c.name for c in result.evaluation.cases]
    assert read(trial.folder).origin.seed == 1
    ap = outcome.estimates["average_precision"]
    assert np.quantile(ap.samples, (0.025, 0.975)) == pytest.approx((ap.low, ap.high))


def test_its_record_says_what_it_took(trial):
    record = trial.outcome().record
    assert record["train_seconds"] > record["cached_seconds"] == 0
    assert 0 < record["score_seconds"] < record["train_seconds"] + 1
    assert 0.1 < record["peak_gb"] < 8
    assert record["gpu_gb"] is None
    assert record["model_bytes"] == (trial.folder / "model.safetensors").stat().st_size
    assert record["versions"]["torch"]
    assert [warning["code"] for warning in record["warnings"]] == ["W_FEW"]


def test_what_the_cache_spared_is_counted_into_the_training(trial, ground, tmp_path):
    again = replace(trial, folder=tmp_path)
    again.carry_out()
    record = again.outcome().record
    assert 0 < record["cached_seconds"] < record["train_seconds"]


def test_another_seed_setting_truth_or_scan_is_another_trial(trial, ground, brains, tmp_path):
    keys = {trial.key, replace(trial, folder=tmp_path).key}
    assert len(keys) == 1
    others = {
        replace(trial, recipe=resolve("zscore", None, SMALL, 2)).key,
        replace(trial, recipe=resolve("histeq", None, SMALL, 1)).key,
        replace(trial, recipe=resolve("zscore", None, (*SMALL, "zscore.polarity=bright"), 1)).key,
        replace(trial, ground=replace(ground, device="cuda")).key,
    }
    for changed in ("sub-08_label-lesion_mask.nii.gz", "sub-09_T1w.nii.gz"):
        folder = tmp_path / changed[:6]
        shutil.copytree(brains, folder)
        path = folder / changed[:6] / "anat" / changed
        image = nib.load(path)
        voxels = image.get_fdata()
        voxels[23, 24, 20] = 1
        nib.save(nib.Nifti1Image(voxels, image.affine, image.header), path)
        others.add(replace(trial, ground=prepared(folder, ground.cache)).key)
    assert len(others | keys) == 7


def test_threads_and_cache_change_times_and_nothing_else(trial, ground, tmp_path):
    other = replace(ground, threads=ground.threads + 1, cache=Cache(tmp_path))
    assert replace(trial, ground=other).key == trial.key


@pytest.mark.parametrize("name", ["run.json", SAMPLES, "evaluation.json"])
def test_a_trial_with_a_file_missing_is_not_there(trial, tmp_path, name):
    copy = replace(trial, folder=tmp_path / "copy")
    shutil.copytree(trial.folder, copy.folder)
    assert copy.outcome() is not None
    (copy.folder / name).unlink()
    assert copy.outcome() is None


def test_what_a_trial_found_stands_without_its_model(trial, tmp_path):
    copy = replace(trial, folder=tmp_path / "copy")
    shutil.copytree(trial.folder, copy.folder)
    (copy.folder / "model.safetensors").unlink()
    found = copy.outcome()
    assert found is not None
    assert (trial.keeps_model(), copy.keeps_model()) == (True, False)
    assert found.record == trial.outcome().record


def test_a_trial_with_a_damaged_file_is_not_there(trial, tmp_path):
    copy = replace(trial, folder=tmp_path / "copy")
    shutil.copytree(trial.folder, copy.folder)
    (copy.folder / SAMPLES).write_bytes(b"junk")
    assert copy.outcome() is None
    assert copy.stands()


def test_nothing_of_another_trial_is_left_once_it_has_begun(trial, tmp_path):
    shutil.copytree(trial.folder, tmp_path / "old")

    def stop(*step, **values):
        raise KeyboardInterrupt

    other = replace(trial, folder=tmp_path / "old", recipe=resolve("zscore", None, SMALL, 5))
    with pytest.raises(KeyboardInterrupt):
        other.carry_out(stop)
    assert not other.stands()
    assert list(other.folder.iterdir()) == []


def test_samples_are_those_of_the_leaderboards_figures(trial):
    samples = load_file(trial.folder / SAMPLES)
    assert set(samples) <= set(COLUMNS)
    assert {len(one) for one in samples.values()} == {1000}
    assert json.loads((trial.folder / "run.json").read_text())["format"] == 1
