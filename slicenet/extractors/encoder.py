"""Convolutional encoders of whole volumes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError

KINDS = ("plain", "resnet18")
LAYERS = 5  # of either kind
RESNET_BLOCKS = 2  # a stage


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of `Encoder`."""

    kind: str = "plain"  # five blocks; or resnet18, a stem and its four stages
    width: int = 32  # channels of the first layer, which double up to the fourth
    strides: tuple[int, ...] = (2, 2, 2, 1, 1)  # of each layer
    dilation: int = 1  # of the convolutions from the fourth layer on

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind: have {', '.join(KINDS)}; got {self.kind!r}", "E_SETTING")
        if len(self.strides) != LAYERS or not set(self.strides) <= {1, 2}:
            raise ConfigError(f"strides: expected {LAYERS} of 1 or 2", "E_SETTING")
        if self.width < 4 or self.width % 4 or self.dilation < 1:
            raise ConfigError(
                "width: expected a multiple of 4; dilation counts from 1", "E_SETTING"
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each layer."""
        last = self.width * 8
        return (self.width, self.width * 2, self.width * 4, last, last)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Of each layer."""
        return (1, 1, 1, self.dilation, self.dilation)

    def cells(self) -> list[int]:
        """Voxels from one cell of a layer to the next, for each layer."""
        found = [1]
        for stride in self.strides:
            found.append(found[-1] * stride)
        return found[1:]

    def reach(self) -> list[int]:
        """Voxels that a cell of each layer has seen, along an axis."""
        found, seen, cell = [], 1, 1
        for layer in range(LAYERS):
            for kernel, stride, dilation in self._convolutions(layer):
                seen += (kernel - 1) * dilation * cell
                cell *= stride
            found.append(seen)
        return found

    def _convolutions(self, layer: int) -> Iterator[tuple[int, int, int]]:
        """Kernel, stride and dilation of what follows one another in a layer."""
        stride, dilation = self.strides[layer], self.dilations[layer]
        yield self.kernel(layer), stride, dilation
        if self.kind != "plain" and layer > 0:
            yield from [(3, 1, dilation)] * (2 * RESNET_BLOCKS - 1)

    def kernel(self, layer: int) -> int:
        """Of the first convolution of a layer; the last plain layer only mixes channels."""
        return 1 if self.kind == "plain" and layer == LAYERS - 1 else 3


@final
class Encoder(nn.Module):
    """Volumes [B, M, X, Y, Z] in, five layers out: [B, C, x, y, z] each.

    The first cell of each layer is centred on the first voxel.
    """

    def __init__(self, sequences: int, settings: EncoderSettings) -> None:
        super().__init__()
        self.settings = settings
        widths = (sequences, *settings.channels)
        self.layers = nn.ModuleList(
            self._layer(index, before, after)
            for index, (before, after) in enumerate(pairwise(widths))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, volumes: Tensor, last: int = LAYERS - 1) -> Sequence[Tensor]:
        """The layers up to `last`."""
        found = []
        for layer in self.layers[: last + 1]:
            volumes = layer(volumes)
            found.append(volumes)
        return found

    def _layer(self, index: int, before: int, after: int) -> nn.Module:
        stride, dilation = self.settings.strides[index], self.settings.dilations[index]
        if self.settings.kind == "plain" or index == 0:
            kernel = self.settings.kernel(index)
            return nn.Sequential(_convolution(before, after, kernel, stride, dilation), nn.GELU())
        first = Residual(before, after, stride, dilation)
        more = (Residual(after, after, 1, dilation) for _ in range(RESNET_BLOCKS - 1))
        return nn.Sequential(first, *more)


@final
class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.first = _convolution(before, after, 3, stride, dilation)
        self.second = _convolution(after, after, 3, 1, dilation)
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else _convolution(before, after, 1, stride, 1)

    def forward(self, volumes: Tensor) -> Tensor:
        """As large as the stride leaves it."""
        found = self.second(F.gelu(self.first(volumes)))
        return F.gelu(found + self.shortcut(volumes))


def _convolution(before: int, after: int, kernel: int, stride: int, dilation: int) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    groups = max(1, min(16, after // 8))
    return nn.Sequential(
        nn.Conv3d(before, after, kernel, stride, padding, dilation, bias=False),
        nn.GroupNorm(groups, after),
    )


def pooled(layer: Tensor, parts: int) -> Tensor:
    """The means over so many parts of a volume along each axis, [B, C * parts^3]."""
    return F.adaptive_avg_pool3d(layer, parts).flatten(1)
