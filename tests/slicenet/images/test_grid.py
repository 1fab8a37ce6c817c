from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from slicenet.images.grid import Grid

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(z=np.radians(30), y=np.radians(10)) @ np.diag([0.5, 0.5, 6.0]),
    (-40, 20, 7),
)
TURNS = [
    np.array([axes, flips]).T
    for axes in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]


@pytest.mark.parametrize("turn", TURNS, ids=str)
@pytest.mark.parametrize("base", [np.diag([2.0, 2.0, 2.0, 1.0]), OBLIQUE], ids=["plain", "oblique"])
def test_ras_and_back_is_exact_in_all_48_orders_and_nibabel_agrees(turn, base):
    values = np.arange(24.0).reshape(2, 3, 4)
    image = nib.Nifti1Image(values, base).as_reoriented(turn)
    grid = Grid(image.shape, image.affine)
    stored = np.asarray(image.dataobj)
    canonical = nib.as_closest_canonical(image)
    assert np.array_equal(grid.to_ras(stored), np.asarray(canonical.dataobj))
    assert np.allclose(grid.ras_affine, canonical.affine, atol=1e-12)
    assert np.array_equal(grid.from_ras(grid.to_ras(stored)), stored)


def test_corners_tell_shifted_and_turned_boxes_apart():
    one = Grid((10, 10, 10), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 0.25
    assert one.corner_distance(Grid((10, 10, 10), moved)) == 0.25
    assert one.corner_distance(Grid((11, 10, 10), np.eye(4))) == 1
    assert one.corner_distance(one) == 0


def test_spacing_is_the_length_of_a_voxel_whatever_its_direction():
    assert np.allclose(Grid((2, 3, 4), OBLIQUE).spacing, (0.5, 0.5, 6.0))
