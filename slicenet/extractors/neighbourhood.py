"""Patch features: what a cell and its neighbours show, of every layer, side by side.

PatchCore unfolds 3x3 patches and pools them adaptively, twice. With widths that divide the
channels that is the mean over the patch and over groups of neighbouring channels, without the
unfolding and its ninefold memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError


@dataclass(frozen=True)
class NeighbourhoodSettings:
    """Settings of `join`."""

    patch: int = 3  # cells, edge of the square that a cell averages over
    width: int = 512  # channels of all layers together; 0 keeps every channel

    def __post_init__(self) -> None:
        if self.patch < 1 or self.patch % 2 == 0:
            raise ConfigError(f"patch: expected an odd number, got {self.patch}", "E_SETTING")
        if self.width < 0:
            raise ConfigError("width must not be negative", "E_SETTING")


def join(layers: Sequence[Tensor], settings: NeighbourhoodSettings) -> Tensor:
    """Layers [S, C, h, w], the finest first, on its grid and side by side, [S, width, h, w]."""
    h, w = layers[0].shape[2:]
    counts = groups([layer.shape[1] for layer in layers], settings)
    joined = []
    for layer, count in zip(layers, counts, strict=True):
        # Every step is linear and per channel, so they run where there is least to do.
        few = _mean_of_groups(layer, count)
        near = F.avg_pool2d(few, settings.patch, 1, settings.patch // 2)  # zeros at the rim count
        coarse = near.shape[2:] != (h, w)
        joined.append(F.interpolate(near, (h, w), mode="bilinear") if coarse else near)
    return torch.cat(joined, 1)


def groups(channels: Sequence[int], settings: NeighbourhoodSettings) -> tuple[int, ...]:
    """Channels that are left of each layer; a layer narrower than its share stays as it is."""
    share = settings.width // len(channels)
    if settings.width and not share:
        raise ConfigError(f"width: {settings.width} is too little for every layer", "E_SETTING")
    return tuple(min(share, count) if share else count for count in channels)


def _mean_of_groups(layer: Tensor, count: int) -> Tensor:
    """Means over `count` runs of neighbouring channels, [S, count, h, w] float32."""
    if count == layer.shape[1]:
        return layer.float()
    last = layer.float().movedim(1, -1)  # [S, h, w, C], without a copy in channels_last
    if layer.shape[1] % count == 0:
        first, *others = last.unflatten(-1, (count, -1)).unbind(-1)  # each [S, h, w, count]
        # Sums of whole maps: a mean over so short an axis takes torch six times as long.
        total = first.clone()
        for other in others:
            total += other
        return total.div_(1 + len(others)).movedim(-1, 1)
    return F.adaptive_avg_pool1d(last.flatten(0, 2), count).view(*last.shape[:3], -1).movedim(-1, 1)
