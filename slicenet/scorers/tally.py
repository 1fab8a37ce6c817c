"""How the vectors of volumes lie, volume by volume and all together."""

from typing import final

import torch
from torch import Tensor


@final
class Tally:
    """Count, mean and spread of each volume's vectors, in double precision."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, Tensor, Tensor]] = []

    def add(self, vectors: Tensor) -> None:
        """Count the vectors [N, C] of one more volume; of none, mean and spread are 0."""
        whole = (vectors if len(vectors) else torch.zeros(1, vectors.shape[1])).double()
        self._rows.append((len(vectors), whole.mean(0), whole.std(0, correction=0)))

    def each(self) -> tuple[Tensor, Tensor]:
        """Means and spreads of the volumes, both [V, C]."""
        means, spreads = zip(*((mean, spread) for _, mean, spread in self._rows), strict=True)
        return torch.stack(means), torch.stack(spreads)

    def together(self) -> tuple[Tensor, Tensor]:
        """Mean and spread of all vectors, both [C]."""
        counts = torch.tensor([count for count, _, _ in self._rows], dtype=torch.float64)
        share = (counts / counts.sum())[:, None]
        means, spreads = self.each()
        mean = (share * means).sum(0)
        variance = (share * (spreads.square() + (means - mean).square())).sum(0)
        return mean, variance.sqrt()
