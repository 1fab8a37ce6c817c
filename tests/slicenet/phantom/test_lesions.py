import nibabel as nib
import numpy as np
import pytest

from slicenet.phantom.lesions import Lesion, fade, join_truths, plan_lesions
from slicenet.phantom.settings import PhantomSettings


def plan(place, seed, **settings):
    random = np.random.default_rng(seed)
    return plan_lesions(random, PhantomSettings(**settings), place, ())


@pytest.fixture(scope="module")
def many(ball):
    return [plan(ball, seed) for seed in range(40)]


def test_every_brain_has_one_to_three_lesions_all_inside(many, ball):
    assert {len(lesions) for lesions in many} == {1, 2, 3}
    for lesion in (one for lesions in many for one in lesions):
        assert lesion.truth.any()
        assert not lesion.weight[~ball.brain].any()


def test_sizes_are_spread_over_the_logarithm(many):
    radii = np.array([lesion.radius for lesions in many for lesion in lesions])
    assert radii.min() < 5
    assert radii.max() > 15
    assert 0.3 < (radii < np.sqrt(4 * 20)).mean() < 0.75  # 4 mm: one voxel, below none are drawn


def test_white_matter_is_preferred_but_not_the_only_place(ball):
    settings = {"largest": 4.0, "most_lesions": 1}
    left = [plan(ball, seed, **settings)[0].centre[0] < 0 for seed in range(60)]
    assert 0.6 < np.mean(left) < 0.98


def test_all_kinds_come_and_only_those_asked_for(many, ball):
    kinds = {lesion.kind for lesions in many for lesion in lesions}
    assert kinds == set(PhantomSettings().kinds)
    assert {one.kind for seed in range(5) for one in plan(ball, seed, kinds=("rim",))} == {"rim"}


def test_lesions_are_never_lost_between_coarse_voxels(ball):
    coarse = nib.affines.rescale_affine(ball.affine, ball.brain.shape, (8, 8, 16))
    brain = np.ones((6, 6, 4), bool)
    place = type(ball)(brain, coarse, np.eye(4), np.ones(brain.shape, np.float32))
    for seed in range(20):
        lesions = plan(place, seed, smallest=1.0, largest=2.0)
        assert all(lesion.truth.any() for lesion in lesions)


def test_weight_is_half_at_the_outline_and_exact_beyond_the_edge():
    depth = np.array([-np.inf, -2.0, -1.99, 0.0, 1.99, 2.0, 30.0], np.float32)
    weight = fade(depth, 2.0)
    assert weight[[0, 1, 3, 5, 6]].tolist() == [0, 0, 0.5, 1, 1]
    assert 0 < weight[2] < weight[4] < 1
    lesion = Lesion("bright", depth, 2.0, (0, 0, 0), 5.0)
    assert np.array_equal(lesion.truth, lesion.weight >= 0.5)


def test_centre_and_radius_are_those_of_the_truth(many, ball):
    lesion = many[0][0]
    places = nib.affines.apply_affine(ball.affine, np.argwhere(lesion.truth))
    assert np.allclose(lesion.centre, places.mean(0))
    assert 4 / 3 * np.pi * lesion.radius**3 == pytest.approx(lesion.truth.sum() * 16)


def test_the_truth_of_a_brain_is_that_of_any_lesion(ball, many):
    lesions = next(lesions for lesions in many if len(lesions) == 3)
    expected = lesions[0].truth | lesions[1].truth | lesions[2].truth
    assert np.array_equal(join_truths(lesions, ball.brain), expected)
    assert not join_truths((), ball.brain).any()
