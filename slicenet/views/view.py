"""One view of a brain."""

from collections.abc import Sequence

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws
from slicenet.simulation.space import Space
from slicenet.views.boxes import cut, swap
from slicenet.views.settings import ViewSettings
from slicenet.views.shades import blur, gain, gamma, noise
from slicenet.views.warping import warp


def view(
    voxels: Tensor,
    brain: Tensor,
    spacing: Sequence[float],
    settings: ViewSettings,
    generator: torch.Generator,
) -> Tensor:
    """A brain [M, X, Y, Z] at median 0 and quartile range 1 as `generator` has it, 0 outside.

    All of it happens where `voxels` lie, by numbers that are the same on every device.
    """
    x, y, z = brain.shape
    space = Space((x, y, z), tuple(float(step) for step in spacing), voxels.device)
    draws = Draws(generator, voxels.device)
    voxels, share = warp(draws, space, (voxels, brain[None]), settings.affine, settings.elastic)
    voxels = gamma(draws, space, voxels, settings.gamma)
    voxels = gain(draws, space, voxels, settings.field)
    voxels = blur(draws, space, voxels, settings.blur)
    voxels = noise(draws, space, voxels, settings.noise)
    moved = share[0] >= 0.5
    voxels = swap(draws, space, (voxels, moved), settings.swap, settings.boxes)
    voxels = cut(draws, space, (voxels, moved), settings.cut, settings.boxes)
    return voxels * moved
