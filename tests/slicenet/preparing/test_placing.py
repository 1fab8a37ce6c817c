import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from slicenet.images.grid import Grid
from slicenet.preparing.placing import onto, sampled

VALUES = np.random.default_rng(0).random((20, 22, 18))


def turned(scale):
    matrix = np.diag([scale, scale, scale, 1.0])
    matrix[:2, :2] = scale * np.array([[0.9, -0.4], [0.4, 0.9]])
    matrix[:3, 3] = 5, 1, 2
    return matrix


def test_sampling_is_scipys():
    way = turned(0.5)
    found = sampled(VALUES, way, (12, 12, 12))
    wanted = affine_transform(VALUES, way[:3, :3], way[:3, 3], (12, 12, 12), order=1)
    assert np.abs(found - wanted)[2:-2, 2:-2, 2:-2].max() < 1e-5


def test_a_coarser_grid_is_blurred_first():
    grid = Grid((4, 4, 4), np.diag([2.0, 2.0, 2.0, 1.0]))
    way = turned(1.0)
    found = onto(VALUES, way, grid)
    steps = np.linalg.norm((way @ grid.affine)[:3, :3], axis=1)
    blurred = gaussian_filter(
        VALUES, np.sqrt(steps**2 - 1) / np.sqrt(8 * np.log(2)), mode="constant"
    )
    wanted = affine_transform(blurred, (way @ grid.affine)[:3, :3], way[:3, 3], (4, 4, 4), order=1)
    assert found == pytest.approx(wanted, abs=2e-3)
