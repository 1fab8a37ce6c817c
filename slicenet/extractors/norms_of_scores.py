"""From squared scores to norms: around a voxel, of a slice, of a whole brain."""

import torch.nn.functional as F
from torch import Tensor

THINNEST = 0.1  # share of the largest slice's brain, below which a slice says nothing


def around_voxels(squares: Tensor, brain: Tensor, window: int) -> Tensor:
    """Norms over the window around each voxel of the brain, [N, L].

    `squares` [L, X, Y, Z] are already summed over the sequences of a volume. Published, scores were
    summed before they were squared, so that two sequences could cancel. A window that reaches out
    of the brain stands for a whole one: the edge of a mask is nothing to be seen.
    """
    cover = _windowed(brain[None].to(squares), window)
    found = _windowed(squares * brain, window)[:, brain] / cover[:, brain]
    return (found.clamp(min=0) * window**3).sqrt().T


def of_slices(squares: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Root mean squares over the brain of each slice that has enough, [N, L]; which, [1, 1, Z]."""
    area = brain.sum((0, 1))  # [Z]
    inside = area >= THINNEST * area.max()
    found = (squares * brain).sum((1, 2))[:, inside] / area[inside]
    return found.sqrt().T, inside[None, None]


def of_brain(squares: Tensor, brain: Tensor) -> tuple[Tensor, Tensor]:
    """Root mean squares over a whole brain, [1, L]; the one cell of its lattice, [1, 1, 1]."""
    return squares[:, brain].mean(1).sqrt()[None], brain.any()[None, None, None]


def _windowed(values: Tensor, window: int) -> Tensor:
    """Means over the window around each voxel, zeros beyond the frame."""
    return F.avg_pool3d(values[None], window, 1, window // 2)[0]
