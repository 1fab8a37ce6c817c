"""Local outlier factors of many small sets at once, each set among its own (Breunig et al., 2000).

A row of numbers stands for a set, with places for the largest: what does not exist is masked.
"""

import torch
from torch import Tensor

LEAST = 1e-10  # mean reach, so that many twins have a density


def density(distances: Tensor, reach: Tensor) -> Tensor:
    """One by the mean distance to neighbours [N, k], each at least its own reach, [N]."""
    return 1 / (torch.maximum(distances, reach).mean(1) + LEAST)


def densities(
    vectors: Tensor, exist: Tensor, nearest: int, least: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Distance to the last neighbour, and density, of each vector [P, N, C], both [P, N].

    Neighbours are others of the same set, and never nearer than `least`; 0 for what does not exist.
    """
    apart = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
    both = exist[:, :, None] & exist[:, None]
    itself = torch.eye(exist.shape[1], dtype=torch.bool, device=exist.device)
    apart = apart.masked_fill(~both | itself, torch.inf)
    counted = _counted(exist, nearest)  # [P, k]
    distances, rows = apart.topk(counted.shape[1], largest=False)  # [P, N, k]
    last = counted.sum(1)[:, None, None].expand(-1, exist.shape[1], 1) - 1
    reach = distances.gather(2, last)[..., 0].clamp(min=least).where(exist, 0)
    theirs = reach[:, None].expand(-1, exist.shape[1], -1).gather(2, rows)
    found = _masked_density(distances, theirs, counted[:, None])
    return reach, found.where(exist, 0)


def factors(
    query: Tensor, vectors: Tensor, exist: Tensor, reach: Tensor, dense: Tensor, nearest: int
) -> Tensor:
    """Outlier factor of one vector [P, C] by each set [P, N, C], of which it is none, [P]."""
    apart = torch.linalg.vector_norm(vectors - query[:, None], dim=2)
    counted = _counted(exist, nearest)
    distances, rows = apart.masked_fill(~exist, torch.inf).topk(counted.shape[1], largest=False)
    own = _masked_density(distances, reach.gather(1, rows), counted)
    theirs = (dense.gather(1, rows) * counted).sum(1) / counted.sum(1)
    return theirs / own


def _counted(exist: Tensor, nearest: int) -> Tensor:
    """Which of the nearest count: so many, or all others of a set that has fewer, [P, k]."""
    most = (exist.sum(1) - 1).clamp(max=nearest)  # [P]
    return torch.arange(int(most.max()), device=exist.device) < most[:, None]


def _masked_density(distances: Tensor, reach: Tensor, counted: Tensor) -> Tensor:
    """As `density`, over those of the last axis that are counted."""
    longer = torch.maximum(distances, reach).masked_fill(~counted, 0)
    return 1 / (longer.sum(-1) / counted.sum(-1) + LEAST)
