"""Trilinear sampling of volumes at millimetre positions."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PLANES = 16  # planes sampled at once, so that memory stays flat
HALF = 0.4247  # deviation of a Gaussian whose width at half height is 1


def sample(
    volume: Tensor,
    to_source: np.ndarray,
    shape: tuple[int, int, int],
    reach: tuple[float, float, float] = (0.5, 0.5, 0.5),
) -> Tensor:
    """Sample `volume` [M, X, Y, Z] on a grid of `shape`, [M, *shape].

    `to_source` [4, 4] takes voxel indices of the new grid to those of `volume`. Past the outermost
    centres the edge's value holds for `reach` voxels (voxels are boxes), beyond it is 0.
    """
    matrix = np.asarray(to_source, np.float64)
    if _along_axes(matrix, shape):
        return _separable(volume, matrix, shape, reach)
    sampled = volume.new_empty(len(volume), *shape)
    for first in range(0, shape[0], PLANES):
        planes = range(first, min(first + PLANES, shape[0]))
        sampled[:, planes.start : planes.stop] = _slab(volume, matrix, planes, shape, reach)
    return sampled


def pick(volume: Tensor, to_source: np.ndarray, shape: tuple[int, int, int]) -> Tensor:
    """The nearest voxels of `volume` [M, X, Y, Z], [M, *shape]; 0 beyond it. Nothing is mixed."""
    matrix = np.asarray(to_source, np.float64)
    taken = volume.new_zeros(len(volume), *shape)
    y, z = np.ogrid[: shape[1], : shape[2]]
    for x in range(shape[0]):
        # Halves up, as voxels are boxes that hold their lower face.
        places = [
            np.floor(row @ (x, 0, 0, 1) + row[1] * y + row[2] * z + 0.5) for row in matrix[:3]
        ]
        within = np.logical_and.reduce(
            [(at >= 0) & (at < size) for at, size in zip(places, volume.shape[1:], strict=True)]
        )
        rows = [torch.from_numpy(at[within].astype(np.int64)) for at in places]
        taken[:, x][:, torch.from_numpy(within)] = volume[:, rows[0], rows[1], rows[2]]
    return taken


def antialias(steps: np.ndarray) -> tuple[float, float, float]:
    """Deviations of the blur, in voxels of the source, without which detail too fine would fold.

    `steps` [3] is the extent of a new voxel along each axis of the source, in its voxels.
    """
    x, y, z = (HALF * np.sqrt(np.clip(steps**2 - 1, 0, None))).tolist()
    return x, y, z


def smooth(volume: Tensor, sigmas: tuple[float, float, float]) -> Tensor:
    """Gaussian blur of `volume` [M, X, Y, Z] with deviations in voxels; the outside counts as 0."""
    for axis, sigma in enumerate(sigmas, start=1):
        if sigma > 0 and volume.shape[axis] > 1:
            volume = _blur(volume, axis, sigma)
    return volume


def smooth_inside(volume: Tensor, inside: Tensor, sigmas: tuple[float, float, float]) -> Tensor:
    """Gaussian blur that averages voxels `inside` [X, Y, Z] only; 0 elsewhere."""
    weight = smooth(inside[None].to(volume), sigmas)
    return smooth(volume * inside, sigmas) / weight.clamp(min=1e-6) * inside


def _along_axes(matrix: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Whether the axes of both grids run alike, to a thousandth of a voxel at the far corner."""
    aside = matrix[:3, :3] - np.diag(matrix.diagonal()[:3])
    return bool((np.abs(aside) @ np.array(shape)).max() < 1e-3)


def _separable(
    volume: Tensor,
    matrix: np.ndarray,
    shape: tuple[int, int, int],
    reach: tuple[float, float, float],
) -> Tensor:
    """One matrix product an axis, several times faster than sampling point by point."""
    # Axes that shrink come first: what follows has less to do.
    for axis in sorted(range(3), key=lambda axis: shape[axis] / volume.shape[axis + 1]):
        places = matrix[axis, axis] * np.arange(shape[axis]) + matrix[axis, 3]
        weights = _weights(places, volume.shape[axis + 1], reach[axis]).to(volume)
        volume = torch.tensordot(volume, weights, ([axis + 1], [1])).movedim(-1, axis + 1)
    return volume.contiguous()


def _weights(places: np.ndarray, size: int, reach: float) -> Tensor:
    """What each voxel [size] adds at each place [N], [N, size]."""
    inside = (places >= -reach - 1e-4) & (places <= size - 1 + reach + 1e-4)
    held = np.clip(places, 0, size - 1)
    below = np.minimum(held.astype(int), max(size - 2, 0))
    weights = np.zeros((len(places), size))
    rows = np.arange(len(places))
    weights[rows, below] = 1 - (held - below)
    weights[rows, np.minimum(below + 1, size - 1)] += held - below
    return torch.from_numpy(weights * inside[:, None])


def _slab(
    volume: Tensor,
    matrix: np.ndarray,
    planes: range,
    shape: tuple[int, int, int],
    reach: tuple[float, float, float],
) -> Tensor:
    axes = [torch.arange(planes.start, planes.stop), torch.arange(shape[1]), torch.arange(shape[2])]
    outside = torch.zeros(len(planes), *shape[1:], dtype=torch.bool)
    columns = []
    # In double, and one axis of the source at a time: single precision loses 1e-5 of a voxel.
    for axis, row in enumerate(torch.from_numpy(matrix[:3])):
        along = [row[other] * axes[other] for other in range(3)]
        place = along[0][:, None, None] + along[1][:, None] + along[2] + row[3]
        size, tolerance = volume.shape[axis + 1], reach[axis] + 1e-4
        outside |= (place < -tolerance) | (place > size - 1 + tolerance)
        columns.append(((2 * place + 1) / size - 1).float())
    grid = torch.stack(columns[::-1], -1)[None].to(volume)  # grid_sample wants z, y, x
    taken = F.grid_sample(volume[None], grid, padding_mode="border", align_corners=False)[0]
    return taken.masked_fill_(outside.to(volume.device), 0)


def _blur(volume: Tensor, axis: int, sigma: float) -> Tensor:
    index = torch.arange(volume.shape[axis], dtype=torch.float64)
    band = torch.exp(-0.5 * ((index[:, None] - index) / sigma) ** 2)
    reach = max(1, int(4 * sigma + 0.5))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    band = band / torch.exp(-0.5 * (offsets / sigma) ** 2).sum()
    band = band.masked_fill((index[:, None] - index).abs() > reach, 0)
    # One matrix product an axis: faster than a convolution at the lengths of a brain.
    return torch.tensordot(volume, band.to(volume), ([axis], [0])).movedim(-1, axis)
