"""Networks that tell hidden categories: by their neighbours and place, or by the rest of a row."""

from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError

PLACE = (8, 8, 8)  # channels that tell where along x, y and z a cell lies


@dataclass(frozen=True)
class CategoricalNetworkSettings:
    """Settings of both networks."""

    width: int = 24  # channels; 1024 of a table as published
    dilations: tuple[int, ...] = (1, 2, 4, 1)  # of each block; a table has as many blocks, of 1

    def __post_init__(self) -> None:
        if self.width < 1 or not self.dilations or min(self.dilations) < 1:
            raise ConfigError("width and dilations count from 1", "E_SETTING")


@final
class LatticeNetwork(nn.Module):
    """Points of a lattice [B, C, x, y, z] in, log chances of what is there out.

    No norm spans the lattice: what is strange in one place must not change the rest.
    """

    def __init__(self, channels: int, levels: int, settings: CategoricalNetworkSettings) -> None:
        super().__init__()
        width, blocks = settings.width, len(settings.dilations)
        self.enter = nn.Conv3d(2 * channels + sum(PLACE) + 1, width, 1)
        self.around = nn.ModuleList(
            nn.Conv3d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation in settings.dilations
        )
        self.mix = nn.ModuleList(nn.Conv3d(width, width, 1) for _ in range(blocks))
        self.level = _levels(levels, width, blocks)
        self.leave = nn.Conv3d(width, channels, 1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)

    def forward(self, points: Tensor, inside: Tensor, place: Tensor, level: Tensor) -> Tensor:
        """`inside` [B, 1, x, y, z] masks, `place` [B, P + C, x, y, z] tells where, `level` [B].

        The last of `place` is what is usual there, which is believed before anything is learnt.
        """
        cells = F.gelu(self.enter(torch.cat((points * inside, place, inside), 1)))
        told = self.level(level)[..., None, None, None].chunk(len(self.mix), 1)
        for around, mix, part in zip(self.around, self.mix, told, strict=True):
            gain, shift = part.chunk(2, 1)
            cells = cells + mix(F.gelu(around(cells * inside) * (1 + gain) + shift))
        return self.leave(cells) + place[:, sum(PLACE) :]


@final
class RowNetwork(nn.Module):
    """Points of the fields of rows [B, C] in, log chances of what is there out."""

    def __init__(self, channels: int, levels: int, settings: CategoricalNetworkSettings) -> None:
        super().__init__()
        width, blocks = settings.width, len(settings.dilations)
        self.enter = nn.Linear(channels, width)
        self.around = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.mix = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.level = _levels(levels, width, blocks)
        self.leave = nn.Linear(width, channels)

    def forward(self, points: Tensor, level: Tensor) -> Tensor:
        """`level` [B] is that of each row."""
        rows = F.gelu(self.enter(points))
        told = self.level(level).chunk(len(self.mix), 1)
        for around, mix, part in zip(self.around, self.mix, told, strict=True):
            gain, shift = part.chunk(2, 1)
            rows = rows + mix(F.gelu(around(rows) * (1 + gain) + shift))
        return self.leave(rows)


def _levels(levels: int, width: int, blocks: int) -> nn.Embedding:
    """A gain and a shift of every channel of every block, nothing to begin with."""
    table = nn.Embedding(levels, 2 * width * blocks)
    nn.init.zeros_(table.weight)
    return table
