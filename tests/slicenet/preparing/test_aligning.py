import numpy as np
import pytest

from slicenet.preparing.aligning import align


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.fixture(scope="module")
def aligned(head):
    return align(head.values, head.affine, None)


def test_a_head_is_stripped_and_found(head, aligned, off):
    assert dice(aligned.brain, head.brain) > 0.93
    assert off(head.affine @ aligned.to_voxels, head.matrix) < 3


def test_a_mask_that_is_given_stays_and_values_below_0_are_lifted(head, off):
    found = align(head.values - 500, head.affine, head.brain)
    assert found.brain is head.brain
    assert found.values.min() >= 0
    assert off(head.affine @ found.to_voxels, head.matrix) < 3


def test_axes_that_are_not_square_are_minded(head, aligned, off):
    sheared = np.eye(4)
    sheared[0, 1] = 0.05
    found = align(head.values, sheared @ head.affine, head.brain)
    assert off(sheared @ head.affine @ found.to_voxels, sheared @ head.matrix) < 4
