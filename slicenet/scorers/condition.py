"""What a flow is told of a vector besides the vector: its place, and the volume it is from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from slicenet.flows.position import PLANE, VOLUME, position_code

CONDITIONS = ("volume", "plane", "global", "none")
FARTHEST = 3.0  # deviations; beyond what it has learnt from, a code says no more


def place_codes(kind: str, lattice: Sequence[int]) -> Tensor:
    """The code of every cell of a lattice, [cells, P]; with kind `none` of no channel."""
    if kind == "none":
        return torch.zeros(int(torch.tensor(lattice).prod()), 0)
    if kind == "plane":
        in_plane = position_code(lattice[:2], PLANE)  # [x, y, P]
        return in_plane[:, :, None].expand(*lattice, -1).flatten(0, 2)
    return position_code(lattice, VOLUME).flatten(0, 2)


def summary(means: Tensor, spreads: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """What all vectors of each volume have in common, on the cohort's scale, [V, 2C] float64."""
    return torch.cat(((means - mean) / spread, spreads / spread - 1), 1)


def directions(summaries: Tensor, wanted: int) -> Tensor:
    """Along which volumes differ most, as columns that bring them to unit spread, [2C, G].

    As many as are wanted, or as few as the volumes allow.
    """
    _, lengths, rows = torch.linalg.svd(summaries - summaries.mean(0), full_matrices=False)
    count = min(wanted, int((lengths > 1e-6 * lengths[0].clamp(min=1e-12)).sum()))
    spread = lengths[:count] / max(1, len(summaries)) ** 0.5
    return rows[:count].T / spread


def global_code(summaries: Tensor, centre: Tensor, along: Tensor) -> Tensor:
    """Where volumes lie among those learnt from, [V, G] float32."""
    return ((summaries - centre) @ along).clamp(-FARTHEST, FARTHEST).float()
