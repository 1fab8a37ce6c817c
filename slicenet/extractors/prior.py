"""How probable each token is after those read before it: a causal transformer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.flows.position import position_code

PLACE = (32, 32, 16)  # channels that say where a token lies: row, column, slice


@dataclass(frozen=True)
class PriorSettings:
    """Settings of `Prior`."""

    width: int = 128  # channels
    layers: int = 4
    heads: int = 4

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads) < 1 or self.width % self.heads:
            raise ConfigError(
                "width, layers and heads count from 1, width in whole heads", "E_SETTING"
            )


@final
class Prior(nn.Module):
    """Logits of every token of a sequence, from the tokens before it and from where it lies.

    The published attention looks ahead, at the very token that is asked for; this one cannot. And
    it is told places, not ranks: one network reads in any order, and leaves out what is no brain.
    """

    def __init__(self, codes: int, settings: PriorSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.token = nn.Embedding(codes + 1, width)  # the last stands before the first token
        # Sinusoids alone change too slowly for what differs from one cell to the next.
        self.where = nn.Sequential(nn.Linear(sum(PLACE), 4 * width), nn.GELU())
        self.wanted = nn.Linear(4 * width, width)
        self.read = nn.Linear(4 * width, width)
        self.blocks = nn.ModuleList(_Block(width, settings.heads) for _ in range(settings.layers))
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, codes))

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Logits [B, L, K] for tokens [B, L] int64 that lie at places [B, L, P]."""
        start = tokens.new_full((len(tokens), 1), self.token.num_embeddings - 1)
        before = torch.cat((start, tokens[:, :-1]), 1)
        where = self.where(places)
        left = F.pad(where[:, :-1], (0, 0, 1, 0))  # where the token before lies
        state = self.token(before) + self.read(left) + self.wanted(where)
        for block in self.blocks:
            state = block(state)
        return self.out(state)

    @staticmethod
    def places(lattice: Sequence[int]) -> Tensor:
        """Codes of all cells of a lattice [x, y, z], slice by slice, [z, x * y, P]."""
        return position_code(lattice, PLACE).movedim(2, 0).flatten(1, 2)


@final
class _Block(nn.Module):
    """Attention to oneself and to what came before, then two layers cell by cell."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, state: Tensor) -> Tensor:
        """States [B, L, width]."""
        asked = self.ask(self.first(state)).unflatten(2, (3, self.heads, -1))
        query, key, value = asked.permute(2, 0, 3, 1, 4)  # each [B, heads, L, width / heads]
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        state = state + self.join(seen.movedim(1, 2).flatten(2))
        return state + self.think(self.second(state))
