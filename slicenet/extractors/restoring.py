"""Tokens that nothing before them foretold, and what a brain would look like without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.foretelling import foretold
from slicenet.extractors.prior import Prior
from slicenet.extractors.token_grids import TokenGrid, read
from slicenet.resampling import smooth

ROOM = 1 << 14  # tokens at once, so that memory stays flat


@dataclass(frozen=True)
class RestoringSettings:
    """Settings of a restoration."""

    rare: float = 0.02  # share of healthy tokens that are improbable, and drawn again
    blur: float = 5.0  # mm, deviation of the Gaussian that softens where that is; pixels published

    def __post_init__(self) -> None:
        if not 0 < self.rare < 1 or self.blur < 0:
            raise ConfigError("rare must be within 0 to 1 and blur not negative", "E_SETTING")


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """A grid as one order reads it."""

    surprise: Tensor  # [S, x, y] nats, -log probability; 0 where no brain is
    drawn: Tensor  # [S, x, y] int64, a token that the prior would have expected


@torch.no_grad()
def readings(prior: Prior, grid: TokenGrid, orders: Tensor) -> list[Reading]:
    """What each of the orders [count, x * y] makes of a grid.

    As published, a token is drawn after the tokens that are there, not after those drawn before.
    What is drawn follows from the order and the place alone, so a volume is restored alike always.
    """
    places = Prior.places(grid.lattice).to(grid.tokens.device)
    shape = grid.tokens.shape[1:]
    at_once = max(1, ROOM // shape.numel())
    found = []
    for number, order in enumerate(orders):
        even = torch.rand(grid.tokens.shape, generator=drawing(number)).to(places)
        parts = [
            _part(prior, grid, part, order.to(places.device), places, even)
            for part in torch.arange(len(grid.tokens)).to(places.device).split(at_once)
        ]
        found.append(Reading(*(torch.cat(one) for one in zip(*parts, strict=True))))
    return found


def restored(grid: TokenGrid, reading: Reading, least: float) -> Tensor:
    """Tokens [S, x, y] with those drawn again that surprise by more than `least`."""
    return torch.where(improbable(reading, least), reading.drawn, grid.tokens)


def improbable(reading: Reading, least: float) -> Tensor:
    """Tokens that surprise by more than `least` nats, [S, x, y] bool."""
    return reading.surprise > least


def masked(change: Tensor, where: Tensor, cell: int, deviations: Sequence[float]) -> Tensor:
    """What changed [X, Y, Z], near tokens `where` [S, x, y] alone; deviations in voxels."""
    spread = where.repeat_interleave(cell, 1).repeat_interleave(cell, 2).float()
    x, y, z = deviations
    return change * smooth(spread.movedim(0, 2)[None], (x, y, z))[0]


def draw(logits: Tensor, even: Tensor) -> Tensor:
    """Tokens [...] as probable as logits [..., K] say, from numbers [...] even in 0 to 1."""
    below = F.softmax(logits, -1).cumsum(-1)
    return (below < even[..., None]).sum(-1).clamp(max=logits.shape[-1] - 1)


def _part(
    prior: Prior, grid: TokenGrid, which: Tensor, order: Tensor, places: Tensor, even: Tensor
) -> tuple[Tensor, Tensor]:
    """Surprise and drawn tokens of some slices, each [S, x, y]."""
    tokens, inside = grid.tokens[which], grid.inside[which]
    shape = tokens.shape[1:]
    sequences = read(tokens, inside, order)
    logits = foretold(prior, sequences, places, which)
    nats = F.cross_entropy(logits.movedim(2, 1), sequences.tokens, reduction="none")
    numbers = even[which].flatten(1).gather(1, sequences.cells)
    return (
        sequences.spread(nats, shape, torch.zeros_like(even[which])),
        sequences.spread(draw(logits, numbers), shape, tokens),
    )
