from dataclasses import replace

import numpy as np
import pytest

from slicenet.errors import VolumeError


def test_the_box_holds_the_brain_and_touches_it_on_all_sides(make_case):
    case = make_case(0)
    box = case.crop()
    assert box.brain.sum() == case.brain.sum()
    for axis in range(3):
        assert box.brain.take(0, axis).any()
        assert box.brain.take(-1, axis).any()
    assert np.array_equal(box.scores[box.brain], case.scores[case.brain])
    assert box.air == (~case.brain).sum()


def test_truth_outside_of_the_brain_is_counted_and_cut_off(make_case):
    case = make_case(0)
    truth = case.truth.copy()
    truth[0, 0, :4] = True
    box = replace(case, truth=truth).crop()
    assert box.truth_outside == (truth & ~case.brain).sum() >= 4
    assert not (box.truth & ~box.brain).any()


def test_no_two_voxels_of_a_brain_are_further_apart_than_the_diagonal(make_case):
    box = make_case(0).crop()
    places = np.argwhere(box.brain) * box.spacing
    spans = np.linalg.norm(places[:, None] - places[None, ::7], axis=-1)
    assert spans.max() < box.diagonal < 1.5 * spans.max()


def test_a_voxel_of_1_by_2_by_3_mm_has_6_thousandths_of_a_millilitre(make_case):
    assert make_case(0).crop().voxel_ml == pytest.approx(0.006)


def test_an_empty_truth_is_as_healthy_as_none(make_case):
    healthy = make_case(0, lesions=0)
    assert not healthy.lesioned
    assert not replace(healthy, truth=None).lesioned
    assert make_case(0).lesioned


def test_a_map_in_fortran_order_gives_the_same_box(make_case):
    case = make_case(3)
    other = replace(
        case, scores=np.asfortranarray(case.scores), brain=np.asfortranarray(case.brain),
        truth=np.asfortranarray(case.truth),
    )  # fmt: skip
    one, two = case.crop(), other.crop()
    for name in ("scores", "brain", "truth"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
        assert getattr(two, name).flags.c_contiguous


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_scores_that_are_not_numbers_are_refused_in_the_brain_only(make_case, value):
    case = make_case(0)
    outside, inside = case.scores.copy(), case.scores.copy()
    outside[~case.brain] = value
    replace(case, scores=outside)
    inside[6, 6, 6] = value
    with pytest.raises(VolumeError, match="case0: scores must be finite") as raised:
        replace(case, scores=inside)
    assert raised.value.code == "E_NONFINITE"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"brain": np.zeros((13, 14, 15), bool)}, "E_MASK"),
        ({"brain": np.ones((13, 14, 15), np.uint8)}, "E_MASK"),
        ({"brain": np.ones((13, 14, 14), bool)}, "E_GRID"),
        ({"truth": np.ones((12, 14, 15), bool)}, "E_GRID"),
        ({"scores": np.zeros((13, 14), np.float32)}, "E_GRID"),
        ({"spacing": (1.0, 0.0, 1.0)}, "E_SPACING"),
        ({"volume_score": float("nan")}, "E_NONFINITE"),
    ],
)
def test_a_case_that_cannot_be_judged_is_refused(make_case, change, code):
    with pytest.raises(VolumeError) as raised:
        replace(make_case(0), **change)
    assert raised.value.code == code


def test_a_truth_wholly_outside_of_the_brain_is_refused(make_case):
    case = make_case(0)
    truth = np.zeros_like(case.brain)
    truth[0, 0, 0] = True
    with pytest.raises(VolumeError, match="wholly outside") as raised:
        replace(case, truth=truth)
    assert raised.value.code == "E_TRUTH"
