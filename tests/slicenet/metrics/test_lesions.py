import numpy as np
import pytest
from scipy import ndimage

from slicenet.metrics.lesions import count_lesions, label_components
from slicenet.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(minimum_voxels=3, strata_ml=(0.5,))


def _empty() -> np.ndarray:
    return np.zeros((20, 20, 20), bool)


def _count(truth, guess, voxel_ml=0.001, settings=SETTINGS):
    return count_lesions(label_components(truth), guess, voxel_ml, settings)


def test_voxels_that_touch_by_a_corner_are_one_component():
    mask = _empty()
    mask[3, 3, 3] = mask[4, 4, 4] = mask[5, 5, 5] = True
    mask[10, 10, 10] = True
    components = label_components(mask)
    assert components.sizes.tolist() == [0, 3, 1]


def test_components_are_those_of_scipy_with_their_sizes():
    mask = np.random.default_rng(0).random((20, 20, 20)) < 0.05
    components = label_components(mask)
    numbers, count = ndimage.label(mask, ndimage.generate_binary_structure(3, 3))
    assert np.array_equal(components.numbers, numbers)
    assert components.sizes[1:].tolist() == [(numbers == k).sum() for k in range(1, count + 1)]


def test_a_lesion_is_found_by_any_common_voxel():
    truth, guess = _empty(), _empty()
    truth[2:6, 2:6, 2:6] = True
    truth[12:15, 12:15, 12:15] = True
    guess[5:9, 5, 5] = True
    guess[17:20, 1, 1] = True
    counts = _count(truth, guess)
    assert counts.table().tolist() == [[2, 0], [1, 0], [2, 0], [1, 0]]


def test_one_component_over_two_lesions_is_right_once_and_finds_both():
    truth, guess = _empty(), _empty()
    truth[2:4, 2:4, 2:4] = truth[10:12, 2:4, 2:4] = True
    guess[2:12, 3, 3] = True
    counts = _count(truth, guess)
    assert (counts.found.sum(), counts.predicted.sum(), counts.right.sum()) == (2, 1, 1)


def test_components_that_are_too_small_neither_find_nor_count():
    truth, guess = _empty(), _empty()
    truth[2:6, 2:6, 2:6] = True
    guess[3, 3, 3:5] = guess[15, 15, 15:17] = True
    assert _count(truth, guess).table()[1:].sum() == 0
    generous = EvaluationSettings(minimum_voxels=2, strata_ml=(0.5,))
    counts = _count(truth, guess, settings=generous)
    assert counts.table()[:, 0].tolist() == [1, 1, 2, 1]


def test_a_lesion_of_a_single_voxel_is_never_left_out():
    truth, guess = _empty(), _empty()
    truth[5, 5, 5] = True
    assert _count(truth, guess).lesions.tolist() == [1, 0]
    guess[5, 5, 4:7] = True
    assert _count(truth, guess).found.tolist() == [1, 0]


@pytest.mark.parametrize(("voxel_ml", "stratum"), [(0.499 / 64, 0), (0.5 / 64, 1), (1.0, 1)])
def test_lesions_fall_into_strata_by_their_volume(voxel_ml, stratum):
    truth = _empty()
    truth[2:6, 2:6, 2:6] = True
    counts = _count(truth, truth, voxel_ml)
    expected = [0, 0]
    expected[stratum] = 1
    assert counts.table().tolist() == [expected] * 4


def test_predictions_fall_into_strata_by_their_own_volume():
    truth, guess = _empty(), _empty()
    truth[2:6, 2:6, 2:6] = True
    guess[2:6, 2:6, 2:18] = True
    counts = _count(truth, guess, voxel_ml=0.004)
    assert counts.lesions.tolist() == counts.found.tolist() == [1, 0]
    assert counts.predicted.tolist() == counts.right.tolist() == [0, 1]


def test_nothing_and_nothing_is_nothing():
    assert _count(_empty(), _empty()).table().sum() == 0
