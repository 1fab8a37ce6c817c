"""A light U-Net decoder: from the layers of a backbone to one map of how much is lesion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError


@dataclass(frozen=True)
class DecoderSettings:
    """Settings of `Decoder`."""

    finest: int = 1  # timm's index of the layer it climbs to: 1 is stride 4 in a ResNet, 0 is 2
    width: int = 32  # channels at the finest layer
    widest: int = 128  # they double with each coarser layer up to here
    expected: float = 0.03  # share of lesion that it starts from

    def __post_init__(self) -> None:
        if self.finest < 0 or self.width < 1 or self.widest < self.width:
            raise ConfigError(
                "decoder: finest counts from 0, width from 1, and widest from width", "E_SETTING"
            )
        if not 0 < self.expected < 1:
            raise ConfigError("decoder: expected must be within 0 to 1", "E_SETTING")


@final
class Decoder(nn.Module):
    """Layers in, the finest first; features and a logit out, on the lattice of the finest."""

    def __init__(self, channels: Sequence[int], settings: DecoderSettings) -> None:
        """`channels` are those of every layer that will come, as `Backbone.channels` has them."""
        super().__init__()
        self.settings = settings
        widths = [min(settings.width << level, settings.widest) for level in range(len(channels))]
        coarser = [*widths[1:], 0]  # nothing climbs into the coarsest
        self.skips = nn.ModuleList(map(_narrow, channels, widths))
        self.joints = nn.ModuleList(
            _join(width + below, width) for width, below in zip(widths, coarser, strict=True)
        )
        self.head = nn.Conv2d(widths[0], 1, 1)
        assert self.head.bias is not None
        # From even odds, the first steps would only learn that lesions are rare.
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.constant_(self.head.bias, math.log(settings.expected / (1 - settings.expected)))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, layers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Maps [S, C, h, w], the finest first, to features [S, width, h, w] and [S, 1, h, w]."""
        found: Tensor | None = None
        parts = zip(layers, self.skips, self.joints, strict=True)
        for layer, skip, joint in reversed(list(parts)):
            seen = skip(layer.to(self.head.weight.dtype))
            if found is not None:
                # Sizes, not factors: an odd layer is not twice the next.
                found = F.interpolate(found, seen.shape[2:], mode="bilinear")
                seen = torch.cat((seen, found), 1)
            found = joint(seen)
        assert found is not None, "a backbone has layers"
        return found, self.head(found)


def fresh_decoder(channels: Sequence[int], settings: DecoderSettings) -> Decoder:
    """A decoder whose weights follow from the seed and not from earlier draws."""
    with weights_from(torch.initial_seed()):
        return Decoder(channels, settings)


def _narrow(channels: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width))


def _join(channels: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
