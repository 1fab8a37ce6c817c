"""Small hand-made features: intensity, edge and spread of intensity at several scales."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.lattice import pool, strides, touching
from slicenet.features import Extractor, FeatureMap
from slicenet.resampling import smooth_inside
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch


@dataclass(frozen=True)
class TextureSettings:
    """Settings of `TextureExtractor`."""

    cell: float = 4.0  # mm, edge of a lattice cell
    scales: tuple[float, ...] = (2.0, 4.0, 8.0)  # mm, deviations of the Gaussians

    def __post_init__(self) -> None:
        if self.cell <= 0 or not self.scales or min(self.scales) <= 0:
            raise ConfigError("cell and scales must be positive", "E_SETTING")


@final
class TextureExtractor(Extractor):
    """Local mean, gradient magnitude and deviation of each sequence at each scale."""

    settings: TextureSettings

    def __init__(self, settings: TextureSettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Nothing to learn."""

    def extract(self, volume: Volume) -> FeatureMap:
        steps = strides(volume, self.settings.cell)
        inside = touching(volume.brain, steps)
        maps = [self._at_scale(volume, scale) for scale in self.settings.scales]
        cells = [pool(one, volume.brain, steps)[:, inside] for one in maps]
        return FeatureMap(torch.cat(cells).T.contiguous(), inside)

    def _at_scale(self, volume: Volume, scale: float) -> Tensor:
        """Mean, edge and spread of every sequence, [3M, X, Y, Z]."""
        x, y, z = (scale / volume.spacing).tolist()
        both = torch.cat((volume.voxels, volume.voxels.square()))
        mean, square = smooth_inside(both, volume.brain, (x, y, z)).chunk(2)
        spread = (square - mean.square()).clamp(min=0).sqrt()
        return torch.cat((mean, _edge(mean, volume) * scale, spread))


def _edge(mean: Tensor, volume: Volume) -> Tensor:
    """Gradient magnitude per mm where both neighbours are brain, else 0, [M, X, Y, Z]."""
    squares = torch.zeros_like(mean)
    for axis in range(3):
        if mean.shape[axis + 1] < 3:
            continue
        slope = (mean.roll(-1, axis + 1) - mean.roll(1, axis + 1)) / (2 * volume.spacing[axis])
        known = volume.brain.roll(-1, axis) & volume.brain.roll(1, axis)
        known.index_fill_(axis, torch.tensor([0, known.shape[axis] - 1]), False)  # no wrapping
        squares += (slope * known).square()
    return squares.sqrt() * volume.brain
