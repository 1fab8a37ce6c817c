"""The part of a slice that holds brain, on the grid of the backbone's coarsest layer."""

from dataclasses import dataclass
from typing import final

import torch.nn.functional as F
from torch import Tensor


@final
@dataclass(frozen=True)
class Crop:
    """A window of whole cells, which may reach beyond a picture at its far sides."""

    rows: range
    columns: range

    def cut(self, pictures: Tensor, outside: float) -> Tensor:
        """The window of pictures [S, C, H, W], `outside` beyond them."""
        h, w = pictures.shape[2:]
        part = pictures[:, :, self.rows.start : self.rows.stop, self.columns.start :]
        part = part[:, :, :, : len(self.columns)]
        below, right = max(self.rows.stop - h, 0), max(self.columns.stop - w, 0)
        return F.pad(part, (0, right, 0, below), value=outside) if below or right else part

    def spread(self, maps: Tensor, stride: int, shape: tuple[int, int]) -> Tensor:
        """Maps of the window [S, C, h, w] on the lattice of the picture; its rim goes on."""
        top, left = self.rows.start // stride, self.columns.start // stride
        h, w = shape
        maps = maps[:, :, : h - top, : w - left]
        below, right = h - top - maps.shape[2], w - left - maps.shape[3]
        rim = (left, right, top, below)
        return F.pad(maps, rim, mode="replicate") if any(rim) else maps


def around(filled: Tensor, margin: int, unit: int) -> Crop:
    """The smallest window of whole units around what is true of [H, W], and a margin."""
    return Crop(_span(filled.any(1), margin, unit), _span(filled.any(0), margin, unit))


def _span(filled: Tensor, margin: int, unit: int) -> range:
    places = filled.nonzero()
    first = max(int(places.min()) - margin, 0) // unit
    last = min(int(places.max()) + margin, len(filled) - 1) // unit
    return range(first * unit, (last + 1) * unit)
