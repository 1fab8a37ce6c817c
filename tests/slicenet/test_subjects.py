import copy
from dataclasses import replace
from functools import partial

import pytest

from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.elsewhere import ElsewhereSettings
from slicenet.frame import FrameSettings
from slicenet.subjects import numbered, whose

FRAME = FrameSettings(spacing=(8.0, 8.0, 8.0))


@pytest.fixture
def small(make_brain):
    """Brains of fewer voxels."""
    return partial(make_brain, shape=(22, 26, 20), spacing=6.0)


def test_a_volume_without_a_subject_is_of_its_own_whatever_it_is_called():
    assert whose("p7", "array", 3) == whose("p7", "other", 5) == "p7"
    own = [whose("", "array", place) for place in range(12)]
    assert len(set(own)) == 12


def test_volumes_without_subjects_are_sorted_by_their_names():
    names = ["scan", "scan 2", "a", "scan-1", "scan10", "scan1", "b!"]
    order = sorted(range(7), key=names.__getitem__)
    assert sorted(range(7), key=lambda place: whose("", names[place], 9 - place)) == order


def test_numbers_follow_the_first_appearance():
    assert numbered(["b", "a", "b", "c", "a"]) == [0, 1, 0, 2, 1]
    assert numbered(iter("zyx")) == [0, 1, 2]
    assert numbered([]) == []


def test_who_is_nobody_is_of_its_own():
    assert numbered(["", "a", "", "a", "", "1"]) == [0, 1, 2, 1, 3, 4]


def test_a_calibration_counts_subjects_and_not_their_scans(small, tmp_path):
    plain = ZScore(frame=FRAME).build()
    plain.fit([small(seed) for seed in range(4)], cache=Cache(tmp_path))

    def calibrated(subjects):
        pairs = zip(map(small, range(10, 14)), subjects, strict=True)
        made = copy.deepcopy(plain)
        made.calibrate([replace(brain, name="array", subject=own) for brain, own in pairs])
        return made

    twice, each = calibrated(["p1", "p2", "p2", "p1"]), calibrated([""] * 4)
    assert twice.calibration.subjects == 2
    assert twice.calibration.weights == (0.5,) * 4
    assert twice.domain.held_by.tolist() == [0, 1, 1, 0]
    strange = small(7)
    strange = replace(strange, voxels=strange.voxels.flip(1) * strange.brain)
    assert twice.score(strange).p_value == 1 / 3
    assert each.calibration.subjects == 4
    assert each.calibration == calibrated(["p4", "p3", "p2", "p1"]).calibration


def test_who_is_fitted_is_known_of_copies_too(small, tmp_path):
    frame = replace(FRAME, elsewhere=ElsewhereSettings(times=1))
    brains = [small(seed) for seed in range(4)]
    brains = [
        replace(one, subject=own) for one, own in zip(brains, ("p1", "", "p1", ""), strict=True)
    ]
    made = ZScore(frame=frame).build()
    made.fit(brains, cache=Cache(tmp_path))
    assert made.domain.fitted_by.tolist() == [0, 1, 0, 2] * 2
    assert len(made.domain.fitted) == 8  # of three subjects
