"""How alike two views of one brain are, against all other brains: NT-Xent with a bank."""

from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Bank:
    """Embeddings of earlier steps, the oldest out first; it only ever holds real ones."""

    vectors: Tensor  # [K, D] of length 1
    owners: Tensor  # [K] int64, which subject each is of

    @classmethod
    def empty(cls, width: int, device: torch.device) -> "Bank":
        """Of nobody yet."""
        return cls(
            torch.zeros(0, width, device=device),
            torch.zeros(0, dtype=torch.int64, device=device),
        )

    def after(self, vectors: Tensor, owners: Tensor, size: int) -> "Bank":
        """With these [N, D] as well, and `size` in all at most."""
        unit = F.normalize(vectors.detach(), dim=1)
        both = torch.cat((self.vectors, unit)), torch.cat((self.owners, owners))
        first = max(0, len(both[1]) - size)
        return Bank(both[0][first:], both[1][first:])


def unlikeness(
    first: Tensor, second: Tensor, owners: Tensor, bank: Bank, temperature: float
) -> Tensor:
    """NT-Xent of two views [N, D] of N volumes, the mean over the 2N of them; one number.

    Embeddings of the same subject are never its negatives, be they of this step or of the bank.
    """
    views = F.normalize(torch.cat((first, second)), dim=1)  # [2N, D]
    count = len(first)
    whose = torch.cat((owners, owners))
    everyone = torch.cat((views, bank.vectors))
    likeness = views @ everyone.T / temperature  # [2N, 2N + K]
    partner = torch.arange(2 * count, device=views.device).roll(count)
    positive = likeness.gather(1, partner[:, None])
    other = whose[:, None] != torch.cat((whose, bank.owners))
    negatives = likeness.masked_fill(~other, -torch.inf)
    return (torch.logsumexp(torch.cat((positive, negatives), 1), 1) - positive[:, 0]).mean()


def recognised(first: Tensor, second: Tensor, owners: Tensor) -> float:
    """Share of N first views [N, D] whose nearest second view is of the same subject."""
    likeness = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    return float((owners[likeness.argmax(1).cpu()] == owners).float().mean())
