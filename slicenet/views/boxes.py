"""Boxes of a brain that change places or are emptied."""

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.space import Space
from slicenet.views.settings import Chance

Box = tuple[slice, slice, slice]
SHORTEST = 0.25  # of the longest edge


def swap(draws: Draws, space: Space, voxels: Tensor, chance: Chance, pairs: int) -> Tensor:
    """Pairs of boxes of [M, X, Y, Z] exchanged, one pair after the other."""
    used = draws.chance((1,), chance.probability)
    edges = torch.full((3,), chance.strength, device=space.device)
    chosen = [(_box(draws, space, edges), _box(draws, space, edges)) for _ in range(pairs)]
    if not used:
        return voxels
    voxels = voxels.clone()
    for one, other in chosen:
        first, second = voxels[:, *one].clone(), voxels[:, *other].clone()
        # Where the two overlap, the second wins.
        voxels[:, *one], voxels[:, *other] = second, first
    return voxels


def cut(draws: Draws, space: Space, voxels: Tensor, chance: Chance, boxes: int) -> Tensor:
    """Boxes of [M, X, Y, Z] set to the median of a brain."""
    used = draws.chance((1,), chance.probability)
    edges = draws.uniform((boxes, 3), SHORTEST, 1.0) * chance.strength
    chosen = [_box(draws, space, edge) for edge in edges]
    if not used:
        return voxels
    voxels = voxels.clone()
    for box in chosen:
        voxels[:, *box] = 0.0
    return voxels


def _box(draws: Draws, space: Space, edges: Tensor) -> Box:
    """Anywhere in the space, of `edges` [3] mm as near as whole voxels allow."""
    shape = torch.tensor(space.shape, device=space.device)
    size = (edges / edges.new_tensor(space.spacing)).round().long()
    size = size.clamp(min=1).minimum(shape)
    first = draws.below(shape - size + 1)
    x, y, z = (
        slice(start, start + length)
        for start, length in zip(first.tolist(), size.tolist(), strict=True)
    )
    return x, y, z
