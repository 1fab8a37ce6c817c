import numpy as np
import pytest
from scipy.ndimage import label

from slicenet.phantom.procedural import draw_brain


@pytest.fixture(scope="module")
def brain():
    return draw_brain()


def test_tissues_are_fractions_of_the_brain(brain):
    grey, white, whole, _ = brain[0]
    assert min(grey.min(), white.min()) >= 0
    assert whole.max() == 1
    assert (grey + white <= whole + 1e-6).all()


def test_it_is_one_body_as_large_as_a_brain(brain):
    maps, affine = brain
    inside = maps[2] > 0.5
    assert label(inside)[1] == 1
    litres = inside.sum() * np.linalg.det(affine[:3, :3]) / 1e6
    assert 1.2 < litres < 2.2


def test_both_hemispheres_have_ventricles(brain):
    maps, affine = brain
    fluid = maps[2] - maps[0] - maps[1]
    for x in (-10, 10):
        place = np.linalg.inv(affine) @ [x, 0, 15, 1]
        assert fluid[tuple(np.rint(place[:3]).astype(int))] > 0.9


def test_cortex_is_folded(brain):
    maps, affine = brain
    level = round((40 - affine[2, 3]) / affine[2, 2])
    # An unfolded ribbon would leave one ring of grey; folds make its border much longer.
    grey = maps[0][:, :, level] > 0.5
    border = np.abs(np.diff(grey.astype(int), axis=0)).sum()
    around = np.abs(np.diff((maps[2][:, :, level] > 0.5).astype(int), axis=0)).sum()
    assert border > 3 * around
