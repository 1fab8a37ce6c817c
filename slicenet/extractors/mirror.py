"""A backbone in reverse: from its deepest layer back to what every layer was."""

from collections.abc import Sequence
from typing import final

import torch.nn.functional as F
from torch import Tensor, nn

SQUEEZE = 4  # channels that a block takes in, by those it works on


@final
class Mirror(nn.Module):
    """Decoder of the encoder-decoder contrast: one layer in, a twin of each layer out.

    Published, it starts from layer4 of a ResNet and has as many blocks as the encoder. Our
    backbones end with the last layer that is looked at, so one fresh block stands for what would
    follow: half as many cells a side, twice as many channels.
    """

    def __init__(self, channels: Sequence[int], blocks: int) -> None:
        """`channels` are those of the layers, the finest first; `blocks` those of each twin."""
        super().__init__()
        deepest = 2 * channels[-1]
        self.bottleneck = _Block(channels[-1], deepest)
        before = [*channels[1:], deepest]
        self.stages = nn.ModuleList(
            nn.ModuleList(_Block(wide if first else own, own) for first in _once(blocks))
            for own, wide in zip(channels, before, strict=True)
        )

    def forward(self, layers: Sequence[Tensor]) -> list[Tensor]:
        """The twin of each layer [S, C, h, w]; only the last of the layers is looked at."""
        h, w = layers[-1].shape[2:]
        found = self.bottleneck(layers[-1], ((h + 1) // 2, (w + 1) // 2))
        twins = []
        for layer, stage in zip(reversed(layers), reversed(self.stages), strict=True):
            for block in stage:  # type: ignore[attr-defined]
                # A twin itself is not rectified: the layers of other backbones have two signs.
                found = block(found.relu(), layer.shape[2:])
            twins.append(found)
        return twins[::-1]


@final
class _Block(nn.Module):
    """A residual bottleneck that brings its input to any size on the way."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        inner = max(1, after // SQUEEZE)
        self.narrow = _norm(nn.Conv2d(before, inner, 1, bias=False))
        self.spread = _norm(nn.Conv2d(inner, inner, 3, padding=1, bias=False))
        self.widen = _norm(nn.Conv2d(inner, after, 1, bias=False))
        self.shortcut = _norm(nn.Conv2d(before, after, 1, bias=False))

    def forward(self, seen: Tensor, size: Sequence[int]) -> Tensor:
        """Maps [S, before, …] to maps [S, after, *size]."""
        inner = self.spread(_resized(self.narrow(seen).relu(), size)).relu()
        # A convolution of single cells commutes with the mean and with interpolation.
        return self.widen(inner) + self.shortcut(_resized(seen, size))


def _norm(convolution: nn.Conv2d) -> nn.Module:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))


def _resized(seen: Tensor, size: Sequence[int]) -> Tensor:
    if list(seen.shape[2:]) == list(size):
        return seen
    h, w = size
    if seen.shape[2] > h:
        return F.adaptive_avg_pool2d(seen, (h, w))
    return F.interpolate(seen, (h, w), mode="bilinear")


def _once(count: int) -> list[bool]:
    """True, then False for the rest of `count`."""
    return [place == 0 for place in range(count)]
