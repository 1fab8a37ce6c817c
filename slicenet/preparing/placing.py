"""Arrays on other grids, by linear interpolation."""

import numpy as np
import torch

from slicenet.images.grid import Grid
from slicenet.resampling import antialias, sample, smooth


def sampled(values: np.ndarray, to_source: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Values [X, Y, Z] at new voxels, which `to_source` takes to theirs, [*shape] float32."""
    return sample(_tensor(values), to_source, shape)[0].numpy()


def onto(values: np.ndarray, to_voxels: np.ndarray, grid: Grid) -> np.ndarray:
    """Values [X, Y, Z] on a grid, without what is too fine for it; `to_voxels` is from its mm."""
    to_source = to_voxels @ grid.affine
    volume = smooth(_tensor(values), antialias(np.linalg.norm(to_source[:3, :3], axis=1)))
    return sample(volume, to_source, grid.shape)[0].numpy()


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]
