"""The vectors of a cohort in memory, for a scorer that learns in batches across volumes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.features import FeatureMap
from slicenet.scorers.tally import Tally
from slicenet.subjects import numbered

HIGHEST = torch.finfo(torch.half).max
LARGEST = 2_000_000_000  # bytes of vectors; of larger cohorts, a share of each volume's is kept


@final
@dataclass(frozen=True, eq=False)
class Tokens:
    """Vectors [N, C] float16 with where each one is from."""

    vectors: Tensor
    cells: Tensor  # [N] int64, flat index in the lattice
    volume: Tensor  # [N] int64

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, chosen: Tensor) -> "Tokens":
        """Some of them, in single precision."""
        return Tokens(self.vectors[chosen].float(), self.cells[chosen], self.volume[chosen])


@final
@dataclass(frozen=True, eq=False)
class Corpus:
    """All that is learnt from: healthy vectors, those of simulated lesions, and their moments."""

    healthy: Tokens
    strange: Tokens  # none unless some maps have simulated lesions
    mean: Tensor  # [C] float64, of all healthy vectors, those not kept included
    spread: Tensor  # [C] float64
    means: Tensor  # [V, C] float64, of the healthy vectors of each volume
    spreads: Tensor  # [V, C] float64
    owners: Tensor  # [V] int64, whose each volume is, from 0
    lattice: tuple[int, int, int]


def read_corpus(maps: Iterable[FeatureMap], seed: int, largest: int = LARGEST) -> Corpus:
    """Walk the maps once; those that mark simulated lesions give these cells and no other."""
    healthy, strange = _Share(largest), _Share(largest)
    tally, subjects = Tally(), list[str]()
    for index, features in enumerate(maps):
        vectors, cells = features.vectors.cpu(), features.cells().cpu()
        draw = torch.Generator().manual_seed(seed + index)
        if features.strange is None:
            tally.add(vectors)
            healthy.add(vectors, cells, draw)
            subjects.append(features.subject)
        else:
            strange.add(vectors[features.strange], cells[features.strange], draw)
        lattice = features.inside.shape
    x, y, z = lattice
    owners = torch.tensor(numbered(subjects))
    return Corpus(
        healthy.tokens(), strange.tokens(), *tally.together(), *tally.each(), owners, (x, y, z)
    )


@final
class _Share:
    """As large a share of every volume's vectors as memory allows, the same of each."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.halvings = 0
        self.parts: list[tuple[Tensor, Tensor]] = []

    def add(self, vectors: Tensor, cells: Tensor, draw: torch.Generator) -> None:
        # In random order, so that a first half is a fair one.
        order = torch.randperm(len(cells), generator=draw)[: -(-len(cells) // 2**self.halvings)]
        self.parts.append((vectors[order].clamp(-HIGHEST, HIGHEST).half(), cells[order]))
        while sum(v.nbytes for v, _ in self.parts) > self.largest and self._largest() > 1:
            self.halvings += 1
            self.parts = [(_half(v), _half(c)) for v, c in self.parts]

    def tokens(self) -> Tokens:
        if not self.parts:
            return Tokens(torch.zeros(0, 0), *torch.zeros(2, 0, dtype=torch.int64))
        owners = [torch.full((len(cells),), index) for index, (_, cells) in enumerate(self.parts)]
        vectors = torch.cat([vectors for vectors, _ in self.parts])
        return Tokens(vectors, torch.cat([c for _, c in self.parts]), torch.cat(owners))

    def _largest(self) -> int:
        return max(len(vectors) for vectors, _ in self.parts)


def _half(tensor: Tensor) -> Tensor:
    return tensor[: -(-len(tensor) // 2)].clone()
