"""Intensities as another scanner might have given them: gamma, gain, noise, blur.

All take a brain [M, X, Y, Z] at median 0 and quartile range 1. Every number is drawn whether it is
used or not, so that one setting never changes what another draws.
"""

import torch
from torch import Tensor

from slicenet.simulation.curves import bend
from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import BLACK
from slicenet.simulation.space import Space
from slicenet.views.settings import Chance
from slicenet.views.warping import smooth_field


def gamma(draws: Draws, space: Space, voxels: Tensor, chance: Chance) -> Tensor:
    """Through a power for each sequence."""
    used = draws.chance((1,), chance.probability)
    exponent = torch.exp(chance.strength * draws.normal((len(voxels),)))
    return bend(voxels, space.spread(exponent)) if used else voxels


def gain(draws: Draws, space: Space, voxels: Tensor, chance: Chance) -> Tensor:
    """Under a receiver whose sensitivity changes from place to place."""
    used = draws.chance((1,), chance.probability)
    field = smooth_field(draws, space, len(voxels))
    return (voxels + BLACK) * torch.exp(chance.strength * field) - BLACK if used else voxels


def noise(draws: Draws, space: Space, voxels: Tensor, chance: Chance) -> Tensor:
    """With Gaussian noise, each sequence its own amount."""
    used = draws.chance((1,), chance.probability)
    amount = space.spread(chance.strength * draws.uniform((len(voxels),)))
    white = draws.normal(voxels.shape)
    return voxels + amount * white if used else voxels


def blur(draws: Draws, space: Space, voxels: Tensor, chance: Chance) -> Tensor:
    """Less sharp, each sequence its own amount."""
    used = draws.chance((1,), chance.probability)
    deviation = chance.strength * draws.uniform((len(voxels),))
    return space.blur(voxels, deviation) if used else voxels
