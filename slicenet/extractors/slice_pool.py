"""Slices of many healthy volumes in memory, for a backbone to train on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.pictures import PictureSettings, paint
from slicenet.extractors.planes import View, view
from slicenet.extractors.shelf import halved
from slicenet.extractors.usual import Usual
from slicenet.volume import Volume

LEAST = 0.01  # brain in a slice, as a share of the largest slice of its volume
LARGEST = 500_000_000  # voxels of a pool: 1 GB


@final
@dataclass(frozen=True, eq=False)
class SlicePool:
    """Slices of one plane at median 0 and quartile range 1, as the frame leaves them."""

    voxels: Tensor  # [S, M, H, W] float16
    brain: Tensor  # [S, H, W] bool
    volume: Tensor  # [S] int64, which volume a slice is from
    spacing: tuple[float, float]  # mm from row to row and from column to column
    size: tuple[int, int]  # of a picture, whole cells of the backbone
    mirrors: bool = True  # rows run from one side of the head to the other, as good turned round
    # [S, 2, H, W] float16, mean and deviation of other healthy brains where a slice is from
    usual: Tensor | None = None

    def __len__(self) -> int:
        return len(self.voxels)

    def draw(self, count: int, generator: torch.Generator) -> "SlicePool":
        """Random slices in single precision, all different where there are enough."""
        chosen = torch.randperm(len(self), generator=generator)[:count]
        return replace(
            self, voxels=self.voxels[chosen].float(), brain=self.brain[chosen],
            volume=self.volume[chosen], usual=None if self.usual is None else self.usual[chosen],
        )  # fmt: skip

    def turned(self, which: Tensor) -> "SlicePool":
        """With the rows of some slices, `which` [S] bool, in reverse."""
        usual = None if self.usual is None else _turned(self.usual, which)
        brain = _turned(self.brain[:, None], which)[:, 0]
        return replace(self, voxels=_turned(self.voxels, which), brain=brain, usual=usual)

    def pictures(self, settings: PictureSettings) -> Tensor:
        """Slices as a backbone sees them when it scores, [S, 3, *size] in 0 to 1."""
        usual = None if self.usual is None else self.usual.permute(1, 2, 3, 0)
        painted = paint(
            self.voxels.float().movedim(0, 3), self.brain.movedim(0, 2), settings, usual
        )
        return _resized(painted, self.size)

    def cover(self, truth: Tensor) -> Tensor:
        """Masks or weights [B, H, W] at the size of the pictures, [B, *size] in 0 to 1."""
        return _resized(truth[:, None].float(), self.size)[:, 0]


def gather(
    volumes: Iterable[Volume], planes: Sequence[str], stride: int, each: int, seed: int,
    usual: Usual | None = None,
) -> list[SlicePool]:  # fmt: skip
    """A pool for each plane, of up to `each` slices a volume; fewer where memory would not do.

    `usual` is what these volumes have in common, from which each of them is taken out.
    """
    kept: dict[str, list[tuple[Tensor, ...]]] = {plane: [] for plane in planes}
    views: dict[str, View] = {}
    spacings: dict[str, tuple[float, float]] = {}
    for index, volume in enumerate(volumes):
        others = None if usual is None else usual.without(volume).maps()
        for plane in planes:
            seen = views[plane] = view(volume, plane, stride, others)
            spacings[plane] = _spacing(volume, seen)
            chosen = _choose(seen, each, np.random.default_rng([seed, index]))
            slices = [halved(seen.voxels[..., chosen].movedim(3, 0))]
            slices.append(seen.brain[..., chosen].movedim(2, 0).clone())
            if seen.usual is not None:
                slices.append(seen.usual[..., chosen].movedim(3, 0).clone())
            kept[plane].append(tuple(slices))
        while each > 1 and _voxels(kept.values()) > LARGEST:
            each //= 2
            for plane in planes:
                kept[plane] = [tuple(part[:each].clone() for part in one) for one in kept[plane]]
    if not views:
        raise ConfigError("no volume to take slices from", "E_TOO_FEW")
    return [_pool(kept[plane], views[plane], spacings[plane]) for plane in planes]


def _choose(seen: View, each: int, random: np.random.Generator) -> list[int]:
    areas = seen.brain.sum((0, 1)).numpy()
    shown = np.nonzero(areas >= LEAST * areas.max())[0]
    return random.permutation(shown)[:each].tolist()


def _voxels(kept: Iterable[list[tuple[Tensor, ...]]]) -> int:
    """In half precision; masks are small beside them."""
    parts = (part for slices in kept for one in slices for part in one)
    return sum(part.numel() for part in parts if part.dtype == torch.half)


def _pool(kept: list[tuple[Tensor, ...]], seen: View, spacing: tuple[float, float]) -> SlicePool:
    owners = [torch.full((len(slices[0]),), index) for index, slices in enumerate(kept)]
    voxels, brain, *usual = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return SlicePool(
        voxels, brain, torch.cat(owners), spacing, seen.size, seen.axes[0] == 0, *usual
    )


def _spacing(volume: Volume, seen: View) -> tuple[float, float]:
    rows, columns = (volume.spacing[axis] for axis in seen.axes[:2])
    return float(rows), float(columns)


def _turned(slices: Tensor, which: Tensor) -> Tensor:
    return slices.flip(2).where(which[:, None, None, None], slices)


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    if pictures.shape[2:] == size:
        return pictures
    return F.interpolate(pictures, size, mode="bilinear", antialias=True)
