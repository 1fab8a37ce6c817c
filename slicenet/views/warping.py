"""Brains that are turned, stretched and bent, in one interpolation."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.space import Space
from slicenet.views.settings import Chance

TURN = math.radians(10.0)  # at strength 1, as are
SIZE = math.log(1.1)
SHIFT = 5.0  # mm
BLOTS = 30.0  # mm, radius of what is displaced alike
STEP = 8.0  # mm, grid on which fields as smooth as that are made


def smooth_field(draws: Draws, space: Space, count: int) -> Tensor:
    """Random fields of deviation 1 that change over centimetres, [N, X, Y, Z]."""
    coarse = tuple(
        max(4, math.ceil(size * step / STEP))
        for size, step in zip(space.shape, space.spacing, strict=True)
    )
    spacing = tuple(
        size * step / cells
        for size, step, cells in zip(space.shape, space.spacing, coarse, strict=True)
    )
    scale = torch.full((count,), BLOTS, device=space.device)
    made = Space(coarse, spacing, space.device).field(draws, scale, torch.full_like(scale, 4.0))
    return F.interpolate(made[None], space.shape, mode="trilinear", align_corners=False)[0]


def turning(draws: Draws, strength: float) -> Tensor:
    """A random rotation, scaling and shift, [3, 4]; millimetres around the centre in and out."""
    angles, sizes, shift = (draws.uniform((3,), -1.0, 1.0) * strength for _ in range(3))
    matrix = torch.diag(torch.exp(SIZE * sizes))
    for axis, angle in enumerate((TURN * angles).tolist()):
        one, other = [free for free in range(3) if free != axis]
        turned = torch.eye(3, device=matrix.device)
        turned[one, one] = turned[other, other] = math.cos(angle)
        turned[one, other], turned[other, one] = -math.sin(angle), math.sin(angle)
        matrix = turned @ matrix
    return torch.cat((matrix, SHIFT * shift[:, None]), 1)


def warp(
    draws: Draws, space: Space, images: Sequence[Tensor], affine: Chance, elastic: Chance
) -> list[Tensor]:
    """Each of the images [C, X, Y, Z] displaced alike; what comes from outside is 0.

    Both draws are always made, so that one setting never changes what another draws.
    """
    turned, bent = draws.chance((1,), affine.probability), draws.chance((1,), elastic.probability)
    matrix = turning(draws, affine.strength)
    fields = smooth_field(draws, space, 3)
    if not turned and not bent:
        return list(images)
    places = space.away(_middle(space))[0]  # [3, X, Y, Z] mm
    if turned:
        places = torch.tensordot(matrix[:, :3], places, 1) + space.spread(matrix[:, 3])
    if bent:
        places = places + elastic.strength * fields
    edges = torch.tensor(space.shape, device=space.device) * places.new_tensor(space.spacing)
    grid = (places * space.spread(2 / edges)).flip(0).movedim(0, -1)  # grid_sample wants z, y, x
    return [
        F.grid_sample(image[None].float(), grid[None], align_corners=False)[0] for image in images
    ]


def _middle(space: Space) -> Tensor:
    """Voxel coordinates of the centre, [1, 3]."""
    return (torch.tensor([space.shape], dtype=torch.float32, device=space.device) - 1) / 2
