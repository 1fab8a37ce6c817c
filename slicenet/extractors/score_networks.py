"""Networks that tell scores: of slices or volumes, and of vectors."""

from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.extractors.score_model import CODE

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}


@dataclass(frozen=True)
class ScoreNetworkSettings:
    """Settings of `ScoreNetwork`."""

    axes: int = 3  # or 2, which looks at axial slices one by one
    width: int = 16  # channels at full resolution, doubled at each coarser one up to four times
    depth: int = 3  # resolutions
    blocks: int = 1  # at each resolution, on the way down and on the way up

    def __post_init__(self) -> None:
        if self.axes not in CONVOLUTIONS:
            raise ConfigError(f"axes: have 2, 3; got {self.axes}", "E_SETTING")
        if min(self.width, self.depth, self.blocks) < 1 or self.depth > 6:
            raise ConfigError("width and blocks count from 1, depth from 1 to 6", "E_SETTING")

    @property
    def unit(self) -> int:
        """Voxels that edges must be a multiple of."""
        return 2 ** (self.depth - 1)

    def widths(self) -> list[int]:
        """Channels at each resolution, the finest first."""
        return [self.width * min(2**level, 4) for level in range(self.depth)]


@final
class ScoreNetwork(nn.Module):
    """A U-Net that is told the level at every block.

    Norms look along the channels of a voxel, not over all voxels as published: a lesion changes no
    score beyond the reach of the convolutions, and a patch is seen as the whole is.
    """

    def __init__(self, channels_in: int, channels_out: int, settings: ScoreNetworkSettings) -> None:
        super().__init__()
        widths, axes = settings.widths(), settings.axes
        told = 4 * settings.width
        self.told = nn.Sequential(
            nn.Linear(CODE, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU()
        )
        convolution = CONVOLUTIONS[axes]
        self.first = convolution(channels_in, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for before, after in pairwise([widths[0], *widths]):
            self.down.append(_stage(before, after, told, settings))
        for below, here in zip(widths[:0:-1], widths[-2::-1], strict=True):
            self.up.append(_stage(below + here, here, told, settings))
        self.last = convolution(widths[0], channels_out, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, seen: Tensor, code: Tensor) -> Tensor:
        """Maps [B, C, *] of whole units and the codes of their levels [B, CODE], [B, C', *]."""
        told = self.told(code)
        maps, passed = self.first(seen), []
        for number, stage in enumerate(self.down):
            if number:
                maps = _halved(maps)
            maps = _through(stage, maps, told)
            passed.append(maps)
        for stage, beside in zip(self.up, passed[-2::-1], strict=True):
            finer = F.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = _through(stage, torch.cat((finer, beside), 1), told)
        return self.last(F.silu(even(maps)))


@final
class VectorNetwork(nn.Module):
    """Blocks of two layers beside a shortcut, told the level at each."""

    def __init__(self, channels_in: int, channels_out: int, width: int, blocks: int) -> None:
        super().__init__()
        self.told = nn.Sequential(nn.Linear(CODE, width), nn.SiLU())
        self.first = nn.Linear(channels_in, width)
        self.blocks = nn.ModuleList(Block(width, width, width, nn.Linear) for _ in range(blocks))
        self.last = nn.Linear(width, channels_out)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, seen: Tensor, code: Tensor) -> Tensor:
        """Vectors [B, C] and the codes of their levels [B, CODE], [B, C']."""
        found = _through(self.blocks, self.first(seen), self.told(code))
        return self.last(F.silu(even(found)))


@final
class Block(nn.Module):
    """Two layers beside a shortcut; the level scales and moves what lies between them."""

    def __init__(self, before: int, after: int, told: int, kind: type[nn.Module]) -> None:
        super().__init__()
        around = {} if kind is nn.Linear else {"kernel_size": 3, "padding": 1}
        point = {} if kind is nn.Linear else {"kernel_size": 1}
        first, second = kind(before, after, **around), kind(after, after, **around)
        self.layers = nn.ModuleList((first, second))
        self.tell = nn.Linear(told, 2 * after)
        self.shortcut = nn.Identity() if before == after else kind(before, after, **point)
        assert isinstance(second.weight, Tensor)
        nn.init.zeros_(second.weight)  # each block begins as its shortcut

    def forward(self, maps: Tensor, told: Tensor) -> Tensor:
        """Maps [B, C, *] and what is told of their levels [B, T], [B, C', *]."""
        scale, shift = self.tell(told).view(len(maps), -1, *[1] * (maps.ndim - 2)).chunk(2, 1)
        found = self.layers[0](F.silu(even(maps)))
        found = self.layers[1](F.silu(even(found) * (1 + scale) + shift))
        return self.shortcut(maps) + found


def even(maps: Tensor) -> Tensor:
    """Maps [B, C, *] at a root mean square of 1 over the channels of each place."""
    return maps * torch.rsqrt(maps.square().mean(1, keepdim=True) + 1e-6)


def _stage(before: int, after: int, told: int, settings: ScoreNetworkSettings) -> nn.ModuleList:
    kind = CONVOLUTIONS[settings.axes]
    widths = [before, *[after] * settings.blocks]
    return nn.ModuleList(Block(one, two, told, kind) for one, two in pairwise(widths))


def _through(blocks: nn.Module, maps: Tensor, told: Tensor) -> Tensor:
    for block in blocks.children():
        maps = block(maps, told)
    return maps


def _halved(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps, 2) if maps.ndim == 4 else F.avg_pool3d(maps, 2)
