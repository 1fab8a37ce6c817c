import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from slicenet.preparing.brain_mask import brain_mask

SPACING = np.array([3.0, 3.0, 3.0])


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("by", [0, 1, -1])
def test_tissue_corrects_what_an_affine_leaves_wrong(head, by):
    expected = np.roll(head.brain, by, 1)
    found = brain_mask(head.values, SPACING, expected)
    assert dice(found, head.brain) > 0.94
    if by:
        assert dice(found, head.brain) > dice(expected, head.brain) - 0.01


def test_no_scalp_is_taken_for_brain(head):
    found = brain_mask(head.values, SPACING, head.brain)
    scalp = (head.values > 650) & ~head.brain
    assert scalp.sum() > 10_000
    assert (found & scalp).sum() < 0.01 * scalp.sum()


def test_small_brains_are_not_made_as_large_as_expected(head):
    small = binary_erosion(head.brain, iterations=2)
    values = np.where(small, head.values, 0)
    found = brain_mask(values, SPACING, head.brain)
    assert dice(found, small) > dice(head.brain, small)


def test_where_nothing_looks_like_tissue_the_expected_brain_stays(head):
    flat = np.zeros_like(head.values)
    assert np.array_equal(brain_mask(flat, SPACING, head.brain), head.brain)
