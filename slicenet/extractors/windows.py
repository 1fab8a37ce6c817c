"""Where the patch of each cell lies: the same windows for an encoder that slides and one that runs.

A cell of an even number of voxels has no voxel in its middle: its patch is centred half a voxel on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

PART = 32  # slices at once, or planes of cells, so that memory stays flat


@final
@dataclass(frozen=True, eq=False)
class Part:
    """Some of the cells of a volume, with all that their patches hold."""

    images: Tensor  # [S, M, ...], the first patch beginning at its first voxel
    cells: Tensor  # [S, ...] int64, number of each cell of the lattice [x, y, z], raveled
    steps: tuple[int, ...]  # voxels from one patch to the next, along the axes of an image

    def patches(self, places: Tensor, edge: int) -> Tensor:
        """Patches of the cells at `places` [K, axes] of `cells`, [K, M, edge, ...]."""
        seen = self.images
        for axis, step in enumerate(self.steps, start=2):
            seen = seen.unfold(axis, edge, step)
        return seen.movedim(1, 1 + len(self.steps))[tuple(places.T)]


def parts(
    voxels: Tensor, dimensions: int, edge: int, steps: tuple[int, int, int]
) -> Iterator[Part]:
    """All cells of voxels [M, X, Y, Z], in slices of patches in 2 dimensions, or in slabs in 3."""
    shape = [size // step for size, step in zip(voxels.shape[1:], steps, strict=True)]
    cells = torch.arange(shape[0] * shape[1] * shape[2]).reshape(shape)
    if dimensions == 2:
        middle = voxels[..., steps[2] // 2 :: steps[2]].movedim(3, 0)  # [S, M, X, Y]
        for first in range(0, shape[2], PART):
            here = slice(first, first + PART)
            images = _reaching(middle[here], edge, steps[:2])
            yield Part(images, cells[..., here].movedim(2, 0), steps[:2])
        return
    whole = _reaching(voxels[None], edge, steps)
    for first in range(0, shape[0], PART):
        last = min(first + PART, shape[0])
        slab = whole[:, :, first * steps[0] : (last - 1) * steps[0] + edge]
        yield Part(slab, cells[None, first:last], steps)


def _reaching(images: Tensor, edge: int, steps: Sequence[int]) -> Tensor:
    """Images with as much of 0 around them as the patches of the outermost cells reach beyond."""
    sides: list[int] = []
    for size, step in zip(images.shape[2:], steps, strict=True):
        before = edge // 2 - step // 2
        sides = [before, (size // step - 1) * step + edge - size - before, *sides]
    return F.pad(images, sides)
