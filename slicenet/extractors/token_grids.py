"""The tokens of whole volumes, and how they are read one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class TokenGrid:
    """Tokens of slices that follow one another."""

    tokens: Tensor  # [S, x, y] int64
    inside: Tensor  # [S, x, y] bool, tokens that stand for brain

    @property
    def lattice(self) -> tuple[int, int, int]:
        """Cells along each axis of the volume."""
        z, x, y = self.tokens.shape
        return x, y, z


@final
@dataclass(frozen=True, eq=False)
class Sequences:
    """Tokens of slices in an order; at the end of shorter sequences is what does not count."""

    tokens: Tensor  # [S, L] int64
    cells: Tensor  # [S, L] int64, flat index of each in its slice
    known: Tensor  # [S, L] bool

    def spread(self, values: Tensor, shape: Sequence[int], rest: Tensor) -> Tensor:
        """Values [S, L] at their cells and `rest` [S, x, y] elsewhere, [S, x, y]."""
        flat = rest.flatten(1)
        # What does not count is written where it came from: cells that are no brain.
        kept = torch.where(self.known, values.to(rest), flat.gather(1, self.cells))
        return flat.scatter(1, self.cells, kept).reshape(len(values), *shape)


def read(tokens: Tensor, inside: Tensor, order: Tensor) -> Sequences:
    """Tokens [S, x, y] inside the brain, in an order [x * y] of the cells of a slice."""
    known = inside.flatten(1)[:, order]
    last = (
        (~known).to(torch.uint8).argsort(dim=1, stable=True)[:, : max(1, int(known.sum(1).max()))]
    )
    cells = order[last]
    return Sequences(tokens.flatten(1).gather(1, cells), cells, known.gather(1, last))
