import numpy as np
import pytest

from slicenet.preparing.gain import without_gain


def uneven(values):
    """As a coil sees it: three halves as bright at the back as in the front."""
    return values * np.exp(np.linspace(0.2, -0.2, values.shape[1]))[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def coarse(head):
    """Every other voxel, which is plenty for what is smooth: values, brain and affine."""
    affine = head.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    return head.values[::2, ::2, ::2], head.brain[::2, ::2, ::2], affine


@pytest.mark.parametrize("given", [True, False])
def test_a_gain_that_changes_slowly_is_taken_out(coarse, given):
    values, brain, affine = coarse
    seen = uneven(values)
    found = without_gain(seen, affine, brain if given else None)
    tissue = brain & (values > 300)
    before, after = (np.std(np.log((one / values)[tissue])) for one in (seen, found))
    assert after < 0.6 * before


def test_nothing_is_left_as_it_is(coarse):
    values, brain, affine = coarse
    assert without_gain(values, affine, np.zeros_like(brain)) is values
