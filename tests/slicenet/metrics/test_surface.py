import numpy as np
import pytest
from scipy import ndimage

from slicenet.metrics.surface import SurfaceDistances, outline, surface_distances

SPACING = (1.0, 2.0, 3.5)


def _blobs(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(generator.normal(size=(20, 18, 16)), 2)
    return smooth > np.quantile(smooth, 0.85)


def _edges(mask: np.ndarray) -> np.ndarray:
    """The outline by erosion with a cross of faces; the outside of the grid erodes too."""
    return mask & ~ndimage.binary_erosion(mask)


def _by_transform(truth: np.ndarray, guess: np.ndarray) -> SurfaceDistances:
    """The same figures from distance transforms of the whole grid."""
    truth, guess = _edges(truth), _edges(guess)
    there = ndimage.distance_transform_edt(~truth, SPACING)[guess]
    back = ndimage.distance_transform_edt(~guess, SPACING)[truth]
    ends = [max(np.percentile(there, q), np.percentile(back, q)) for q in (95, 99)]
    return SurfaceDistances(*ends, np.percentile(there, 99), np.concatenate([there, back]).mean())


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_those_of_distance_transforms(seed):
    truth, guess = _blobs(seed), _blobs(seed + 100)
    found = surface_distances(outline(truth, SPACING), outline(guess, SPACING), 99.0)
    expected = _by_transform(truth, guess)
    for name in ("hausdorff95", "hausdorff99", "false99", "mean"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))


def test_an_outline_is_what_erosion_takes_away():
    mask = _blobs(3)
    places = np.argwhere(_edges(mask)) * SPACING
    found = outline(mask, SPACING).points
    assert sorted(map(tuple, found)) == sorted(map(tuple, places))


def test_the_memory_order_of_a_mask_does_not_matter():
    mask = _blobs(4)
    one, two = outline(mask, SPACING), outline(np.asfortranarray(mask), SPACING)
    assert np.array_equal(one.points, two.points)


def test_two_voxels_are_as_far_apart_as_their_centres():
    truth, guess = np.zeros((2, 9, 9, 9), bool)
    truth[1, 1, 1] = guess[4, 3, 5] = True
    found = surface_distances(outline(truth, SPACING), outline(guess, SPACING), 99.0)
    expected = np.linalg.norm(np.array([3, 2, 4]) * SPACING)
    assert found.hausdorff95 == found.hausdorff99 == found.mean == pytest.approx(expected)


def test_the_right_answer_is_at_no_distance():
    truth = outline(_blobs(0), SPACING)
    assert surface_distances(truth, truth, 99.0) == SurfaceDistances(0, 0, 0, 0)


def test_nothing_predicted_costs_what_a_miss_costs():
    truth, nothing = _blobs(0), np.zeros((20, 18, 16), bool)
    found = surface_distances(outline(truth, SPACING), outline(nothing, SPACING), 99.0)
    assert found == SurfaceDistances(99, 99, 99, 99)


def test_one_far_false_voxel_moves_the_99th_but_not_the_95th_percentile():
    truth = np.zeros((40, 12, 12), bool)
    truth[2:8, 2:8, 2:8] = True
    guess = truth.copy()
    guess[35:38, 5, 5] = True
    unit = (1.0, 1.0, 1.0)
    found = surface_distances(outline(truth, unit), outline(guess, unit), 99.0)
    assert found.hausdorff95 == 0
    assert found.hausdorff99 > 25
