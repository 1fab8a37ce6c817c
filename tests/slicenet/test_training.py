from dataclasses import replace

import pytest

from slicenet.backends.zscore import ZScore
from slicenet.cohort import Case, find_cohort
from slicenet.errors import ConfigError, NoInputError, Notice
from slicenet.frame import FrameSettings
from slicenet.images.write import write_map
from slicenet.inspection import inspect_to_learn
from slicenet.training import TrainSettings, parts, remarks, split, train

ROLES = ("fit", "calibrate", "test", "fit")
BACKEND = ZScore(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)))


@pytest.fixture
def folder(tmp_path, make_brain):
    for seed in range(8):
        volume = make_brain(seed)
        write_map(tmp_path / f"sub-{seed}_T1w.nii.gz", volume.voxels[0].numpy(), volume.grid)
    return tmp_path


def test_e73_all_scans_of_a_subject_fall_on_one_side():
    subjects = [f"s{i // 2}" for i in range(40)]
    fitted, held = split(subjects, TrainSettings())
    assert sorted(fitted + held) == list(range(40))
    assert not {subjects[i] for i in fitted} & {subjects[i] for i in held}
    assert len(held) == 8  # a fifth of 20 subjects


def test_at_least_four_subjects_are_held_out_and_the_seed_chooses_them():
    subjects = [f"s{i}" for i in range(8)]
    fitted, held = split(subjects, TrainSettings())
    assert (len(fitted), len(held)) == (4, 4)
    assert split(subjects, TrainSettings()) == (fitted, held)
    others = {split(subjects, TrainSettings(seed=seed))[1] for seed in range(6)}
    assert len(others) > 1


def test_71_too_few_subjects_are_refused_with_a_way_out():
    with pytest.raises(NoInputError, match=r"bring at least 6.*train\.holdout=0"):
        split(["a", "b", "c", "d", "e"], TrainSettings())
    assert split(["a", "b"], TrainSettings(holdout=0.0)) == ((0, 1), ())
    with pytest.raises(ConfigError):
        TrainSettings(holdout=1.0)


def test_roles_of_a_split_are_kept_to_and_too_few_to_fit_are_refused():
    cases = [Case(s, (), None, subject=s, role=r) for s, r in zip("abcd", ROLES, strict=True)]
    assert parts(cases, TrainSettings()) == ((0, 3), (1,))
    assert parts(cases, TrainSettings(holdout=0.0)) == ((0, 3), (1,))
    with pytest.raises(NoInputError, match="too few healthy subjects to fit"):
        parts(cases[:3], TrainSettings())
    plain = [replace(case, role="") for case in cases] * 2
    assert parts(plain[:2], TrainSettings(holdout=0.0)) == ((0, 1), ())


def test_what_calibrates_is_never_fitted(folder):
    model = train(
        "zscore",
        BACKEND,
        inspect_to_learn(find_cohort([folder]), BACKEND.build().frame),
        TrainSettings(),
    )
    assert len(model.origin.fitted) == 4
    assert len(model.origin.calibrated) == 4
    assert not set(model.origin.fitted) & set(model.origin.calibrated)
    assert model.detector.calibration.subjects == 4


def test_few_subjects_and_no_calibration_are_said(folder):
    usable = inspect_to_learn(find_cohort([folder]), BACKEND.build().frame)
    few = train("zscore", BACKEND, usable, TrainSettings())
    assert [notice.code for notice in remarks(few)] == ["W_FEW"]
    none = train("zscore", BACKEND, usable, TrainSettings(holdout=0.0))
    assert [notice.code for notice in remarks(none)] == ["W_UNCALIBRATED"]
    none.detector.extractor.notices = (Notice("W_RANDOM_WEIGHTS", "what an extractor says"),)
    assert [notice.code for notice in remarks(none)] == ["W_RANDOM_WEIGHTS", "W_UNCALIBRATED"]
