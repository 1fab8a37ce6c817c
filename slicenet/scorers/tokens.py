"""The vectors of a cohort in memory, for a scorer that learns in batches across volumes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.features import FeatureMap

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
    lattice: tuple[int, int, int]


def read_corpus(maps: Iterable[FeatureMap], seed: int, largest: int = LARGEST) -> Corpus:
    """Walk the maps once; those that mark simulated lesions give these cells and no other."""
    healthy: list[tuple[Tensor, Tensor]] = []
    strange: list[tuple[Tensor, Tensor]] = []
    moments: list[tuple[int, Tensor, Tensor]] = []
    for index, features in enumerate(maps):
        vectors, cells = features.vectors.cpu(), features.cells().cpu()
        if features.strange is None:
            whole = vectors.double()
            moments.append((len(whole), whole.mean(0), whole.std(0, correction=0)))
        else:
            vectors, cells = vectors[features.strange], cells[features.strange]
        order = torch.randperm(len(cells), generator=torch.Generator().manual_seed(seed + index))
        kept = healthy if features.strange is None else strange
        kept.append((vectors[order].half(), cells[order]))
        for group in (healthy, strange):
            # In random order already, so that a first half is a fair one.
            while sum(v.nbytes for v, _ in group) > largest and max(len(v) for v, _ in group) > 1:
                group[:] = [(v[: len(v) // 2].clone(), c[: len(c) // 2]) for v, c in group]
        lattice = features.inside.shape
    counts = torch.tensor([count for count, _, _ in moments], dtype=torch.float64)
    share = (counts / counts.sum())[:, None]
    means = torch.stack([mean for _, mean, _ in moments])
    spreads = torch.stack([spread for _, _, spread in moments])
    mean = (share * means).sum(0)
    variance = (share * (spreads.square() + (means - mean).square())).sum(0)
    x, y, z = lattice
    return Corpus(
        _joined(healthy), _joined(strange or [(healthy[0][0][:0], healthy[0][1][:0])]),
        mean, variance.sqrt(), means, spreads, (x, y, z),
    )  # fmt: skip


def _joined(parts: list[tuple[Tensor, Tensor]]) -> Tokens:
    owners = [torch.full((len(cells),), index) for index, (_, cells) in enumerate(parts)]
    vectors = torch.cat([vectors for vectors, _ in parts])
    return Tokens(vectors, torch.cat([cells for _, cells in parts]), torch.cat(owners))
