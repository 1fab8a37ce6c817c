"""In which order a causal model reads a grid of tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError

# The grid transposed, its rows reversed, its columns reversed. The second is half a turn: it begins
# in the opposite corner, so cells that one reads knowing little the other may know much about.
TURNS = tuple((turn & 4 > 0, turn & 2 > 0, turn & 1 > 0) for turn in (0, 3, 4, 7, 1, 2, 5, 6))


@dataclass(frozen=True)
class OrderSettings:
    """Settings of `orders`."""

    # Or random, which is also published: what is foretold from cells far away is hardly foretold.
    kinds: tuple[str, ...] = ("raster", "snake", "hilbert")
    count: int = 6  # all kinds as they are, then all after half a turn, then all other turns

    def __post_init__(self) -> None:
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ConfigError(f"kinds: have {', '.join(KINDS)}; got {self.kinds}", "E_SETTING")
        if not 1 <= self.count <= len(TURNS) * len(self.kinds):
            raise ConfigError(
                f"count: expected 1 to {len(TURNS)} for each kind, got {self.count}", "E_SETTING"
            )


def orders(settings: OrderSettings, shape: Sequence[int]) -> Tensor:
    """Flat indices of the cells of a grid [x, y] as they are read, [count, x * y] int64."""
    kinds = len(settings.kinds)
    return torch.stack([
        order(settings.kinds[place % kinds], shape, TURNS[place // kinds], place % kinds)
        for place in range(settings.count)
    ])  # fmt: skip


def order(kind: str, shape: Sequence[int], turn: tuple[bool, bool, bool], seed: int = 0) -> Tensor:
    """One of them, [x * y] int64."""
    transposed, rows, columns = turn
    x, y = shape
    h, w = (y, x) if transposed else (x, y)
    path = KINDS[kind](h, w, seed)  # [h * w] flat indices
    row, column = path // w, path % w
    row = h - 1 - row if rows else row
    column = w - 1 - column if columns else column
    return column * y + row if transposed else row * y + column


def _raster(h: int, w: int, seed: int) -> Tensor:
    return torch.arange(h * w)


def _snake(h: int, w: int, seed: int) -> Tensor:
    """Every other row backwards."""
    rows = torch.arange(h * w).reshape(h, w)
    rows[1::2] = rows[1::2].flip(1)
    return rows.flatten()


def _hilbert(h: int, w: int, seed: int) -> Tensor:
    """The curve of the smallest square around the grid; what lies outside is left out."""
    size = 1
    while size < max(h, w):
        size *= 2
    at = torch.arange(size * size)
    row, column = torch.zeros_like(at), torch.zeros_like(at)
    side = 1
    while side < size:
        right, up = (at // 2) % 2, (at ^ (at // 2)) % 2
        mirrored = (up == 0) & (right == 1)
        row, column = (
            torch.where(mirrored, side - 1 - row, row),
            torch.where(mirrored, side - 1 - column, column),
        )
        row, column = torch.where(up == 0, column, row), torch.where(up == 0, row, column)
        row, column = row + side * right, column + side * up
        at, side = at // 4, side * 2
    inside = (row < h) & (column < w)
    return row[inside] * w + column[inside]


def _random(h: int, w: int, seed: int) -> Tensor:
    return torch.randperm(h * w, generator=drawing(seed, h, w))


KINDS: dict[str, Callable[[int, int, int], Tensor]] = {
    "raster": _raster,
    "snake": _snake,
    "hilbert": _hilbert,
    "random": _random,
}
