import itertools

import nibabel as nib
import numpy as np
import pytest

from slicenet.images.grid import Grid

SHAPE = (5, 7, 4)
VOXELS = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def rotation(degrees):
    angle = np.radians(degrees)
    around_x, around_z = np.eye(4), np.eye(4)
    around_x[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    around_z[:2, :2] = around_x[1:3, 1:3]
    return around_x @ around_z


AFFINES = {
    "plain": np.diag([2.0, 2.0, 2.0, 1]),
    "thick slices": np.diag([0.5, 0.5, 6.0, 1]),
    "oblique": rotation(30) @ np.diag([1.0, 2.0, 3.0, 1]),
    "sheared": np.array([[2, 0.3, 0, 5], [0, 2, 0.1, -9], [0, 0, 3, 1], [0, 0, 0, 1.0]]),
}


def all_turns():
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            yield np.column_stack([order, flips])


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("shape", [SHAPE, (5, 7, 1), (5, 1, 2)])
def test_the_48_ways_to_store_a_volume_are_one_in_ras_and_lead_back(affine, shape):
    voxels = VOXELS[: shape[0], : shape[1], : shape[2]]
    image = nib.Nifti1Image(voxels, affine)
    wanted = nib.as_closest_canonical(image)
    for turn in all_turns():
        turned = image.as_reoriented(turn)
        stored = np.asarray(turned.dataobj)
        grid = Grid(turned.shape, turned.affine)
        ras = grid.to_ras(stored)
        assert np.array_equal(ras, wanted.dataobj)
        assert np.allclose(grid.ras_affine, wanted.affine, atol=1e-12)
        assert np.array_equal(grid.from_ras(ras), stored)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_spacings_are_the_lengths_of_a_voxel(affine):
    origin, *ends = (nib.affines.apply_affine(affine, place) for place in np.eye(4, 3)[::-1])
    lengths = [np.linalg.norm(end - origin) for end in ends[::-1]]
    assert np.allclose(Grid(SHAPE, affine).spacing, lengths)


def test_the_distance_of_corners_is_that_of_the_farthest():
    grid = Grid(SHAPE, AFFINES["plain"])
    moved = AFFINES["plain"].copy()
    moved[:3, 3] = (3, 4, 12)
    assert grid.corner_distance(grid) == 0
    assert grid.corner_distance(Grid(SHAPE, moved)) == pytest.approx(13)
    longer = Grid((5, 7, 6), AFFINES["plain"])
    assert grid.corner_distance(longer) == longer.corner_distance(grid) == pytest.approx(4)
    turned = Grid(SHAPE, rotation(1) @ AFFINES["plain"])
    corners = itertools.product(*[(-1.0, 2.0 * size - 1) for size in SHAPE])
    farthest = max(np.linalg.norm(rotation(1)[:3, :3] @ c - c) for c in map(np.array, corners))
    assert grid.corner_distance(turned) == pytest.approx(farthest)
