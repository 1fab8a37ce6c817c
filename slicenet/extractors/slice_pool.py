"""Slices of many healthy volumes in memory, for a backbone to train on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.pictures import PictureSettings, check_sequences, paint
from slicenet.extractors.planes import View, view
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

    def __len__(self) -> int:
        return len(self.voxels)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random slices, all different where there are enough: [B, M, H, W] and [B, H, W]."""
        chosen = torch.randperm(len(self), generator=generator)[:count]
        return self.voxels[chosen].float(), self.brain[chosen]

    def pictures(self, voxels: Tensor, brain: Tensor, settings: PictureSettings) -> Tensor:
        """Slices as a backbone sees them when it scores, [B, 3, *size] in 0 to 1."""
        painted = paint(voxels.movedim(0, 3), brain.movedim(0, 2), settings)
        return _resized(painted, self.size)

    def cover(self, truth: Tensor) -> Tensor:
        """Masks or weights [B, H, W] at the size of the pictures, [B, *size] in 0 to 1."""
        return _resized(truth[:, None].float(), self.size)[:, 0]


def gather(
    volumes: Iterable[Volume], planes: Sequence[str], stride: int, each: int, seed: int
) -> list[SlicePool]:
    """A pool for each plane, of up to `each` slices a volume; fewer where memory would not do."""
    kept: dict[str, list[tuple[Tensor, Tensor]]] = {plane: [] for plane in planes}
    views: dict[str, View] = {}
    spacings: dict[str, tuple[float, float]] = {}
    for index, volume in enumerate(volumes):
        check_sequences(len(volume.voxels), volume.name)
        for plane in planes:
            seen = views[plane] = view(volume, plane, stride)
            spacings[plane] = _spacing(volume, seen)
            chosen = _choose(seen, each, np.random.default_rng([seed, index]))
            voxels = seen.voxels[..., chosen].movedim(3, 0).half()
            kept[plane].append((voxels, seen.brain[..., chosen].movedim(2, 0).clone()))
        while each > 1 and sum(v.numel() for one in kept.values() for v, _ in one) > LARGEST:
            each //= 2
            for plane in planes:
                kept[plane] = [(v[:each].clone(), b[:each].clone()) for v, b in kept[plane]]
    if not views:
        raise ConfigError("no volume to take slices from", "E_TOO_FEW")
    return [_pool(kept[plane], views[plane], spacings[plane]) for plane in planes]


def _choose(seen: View, each: int, random: np.random.Generator) -> list[int]:
    areas = seen.brain.sum((0, 1)).numpy()
    shown = np.nonzero(areas >= LEAST * areas.max())[0]
    return random.permutation(shown)[:each].tolist()


def _pool(kept: list[tuple[Tensor, Tensor]], seen: View, spacing: tuple[float, float]) -> SlicePool:
    owners = [torch.full((len(voxels),), index) for index, (voxels, _) in enumerate(kept)]
    voxels = torch.cat([one for one, _ in kept])
    brain = torch.cat([one for _, one in kept])
    return SlicePool(voxels, brain, torch.cat(owners), spacing, seen.size, seen.axes[0] == 0)


def _spacing(volume: Volume, seen: View) -> tuple[float, float]:
    rows, columns = (volume.spacing[axis] for axis in seen.axes[:2])
    return float(rows), float(columns)


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    if pictures.shape[2:] == size:
        return pictures
    return F.interpolate(pictures, size, mode="bilinear", antialias=True)
