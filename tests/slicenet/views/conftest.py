import pytest
import torch

from slicenet.draws import drawing
from slicenet.simulation.draws import Draws
from slicenet.simulation.space import Space


@pytest.fixture
def draws():
    return lambda seed=0: Draws(drawing(seed), torch.device("cpu"))


@pytest.fixture
def space():
    return Space((20, 24, 16), (2.0, 2.0, 3.0), torch.device("cpu"))


@pytest.fixture
def ball(space):
    """A brain: an ellipsoid of smooth noise at median 0 and quartile range 1, and its mask."""
    away = space.away(torch.tensor([[9.5, 11.5, 7.5]]))[0]
    brain = away.square().sum(0).sqrt() < 18
    draw = Draws(drawing(5), torch.device("cpu"))
    field = space.field(draw, torch.full((2,), 6.0), torch.full((2,), 2.0))
    return field * brain, brain
