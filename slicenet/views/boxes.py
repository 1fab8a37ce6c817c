"""Boxes of a brain that change places or are emptied."""

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.space import Space
from slicenet.views.settings import Chance

Box = tuple[slice, slice, slice]
SHORTEST = 0.25  # of the longest edge


def swap(
    draws: Draws, space: Space, images: tuple[Tensor, Tensor], chance: Chance, pairs: int
) -> Tensor:
    """Pairs of boxes of `images`, voxels [M, X, Y, Z] and brain [X, Y, Z], exchanged in turn."""
    used = draws.chance((1,), chance.probability)
    edges = torch.full((2 * pairs, 3), chance.strength, device=space.device)
    voxels, brain = images
    chosen = _boxes(draws, space, brain, edges)
    if not used:
        return voxels
    voxels = voxels.clone()
    for one, other in zip(chosen[::2], chosen[1::2], strict=True):
        first, second = voxels[:, *one].clone(), voxels[:, *other].clone()
        # Where the two overlap, the second wins.
        voxels[:, *one], voxels[:, *other] = second, first
    return voxels


def cut(
    draws: Draws, space: Space, images: tuple[Tensor, Tensor], chance: Chance, boxes: int
) -> Tensor:
    """Boxes of `images`, voxels [M, X, Y, Z] and brain [X, Y, Z], set to the median of a brain."""
    used = draws.chance((1,), chance.probability)
    edges = draws.uniform((boxes, 3), SHORTEST, 1.0) * chance.strength
    voxels, brain = images
    chosen = _boxes(draws, space, brain, edges)
    if not used:
        return voxels
    voxels = voxels.clone()
    for box in chosen:
        voxels[:, *box] = 0.0
    return voxels


def _boxes(draws: Draws, space: Space, brain: Tensor, edges: Tensor) -> list[Box]:
    """Boxes of `edges` [N, 3] mm as near as whole voxels allow, each around a voxel of the brain.

    Where they would leave the space they are moved back into it; without a brain there are none.
    """
    shape = torch.tensor(space.shape, device=space.device)
    sizes = (edges / edges.new_tensor(space.spacing)).round().long()
    sizes = sizes.clamp(min=1).minimum(shape)
    places = brain.nonzero()  # [V, 3]
    if not len(places):
        return []
    middles = places[draws.below(torch.full((len(edges),), len(places), device=space.device))]
    firsts = (middles - sizes // 2).clamp(min=0).minimum(shape - sizes)
    return [_slices(*pair) for pair in zip(firsts.tolist(), sizes.tolist(), strict=True)]


def _slices(first: list[int], size: list[int]) -> Box:
    x, y, z = (slice(start, start + length) for start, length in zip(first, size, strict=True))
    return x, y, z
