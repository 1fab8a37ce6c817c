import pytest
import torch

from slicenet.simulation.jitter import BLACK
from slicenet.views.settings import Chance
from slicenet.views.shades import blur, gain, gamma, noise

ALL = [gamma, gain, noise, blur]


@pytest.mark.parametrize("change", ALL)
def test_a_change_happens_as_often_as_its_probability(change, draws, space, ball):
    voxels, _ = ball
    changed = [
        not torch.equal(change(draws(seed), space, voxels, Chance(0.3, 0.5)), voxels)
        for seed in range(200)
    ]
    assert 0.2 < sum(changed) / len(changed) < 0.4


@pytest.mark.parametrize("change", ALL)
def test_numbers_are_drawn_whether_they_are_used_or_not(change, draws, space, ball):
    voxels, _ = ball
    after = []
    for probability in (0.0, 1.0):
        source = draws(4)
        change(source, space, voxels, Chance(probability, 0.5))
        after.append(source.uniform((3,)))
    assert torch.equal(*after)


@pytest.mark.parametrize("change", [gamma, gain])
def test_order_at_a_place_survives_a_change_of_shade(change, draws, space, ball):
    voxels, _ = ball
    darker, brighter = (
        change(draws(7), space, voxels + shift, Chance(1.0, 0.3)) for shift in (0.0, 0.1)
    )
    assert (brighter >= darker).all()


def test_gain_multiplies_what_lies_above_black(draws, space, ball):
    voxels, _ = ball
    ratio = (gain(draws(8), space, voxels, Chance(1.0, 0.3)) + BLACK) / (voxels + BLACK)
    other = (gain(draws(8), space, voxels + 1, Chance(1.0, 0.3)) + BLACK) / (voxels + 1 + BLACK)
    assert torch.allclose(ratio, other, rtol=1e-4)
    assert ratio.log().std() == pytest.approx(0.3, rel=0.6)


def test_noise_is_as_strong_as_drawn_and_blur_takes_it_away(draws, space):
    flat = torch.zeros(1, *space.shape)
    levels = torch.stack([noise(draws(seed), space, flat, Chance(1.0, 0.5)) for seed in range(40)])
    deviations = levels.flatten(1).std(1)
    assert deviations.max() <= 0.52
    assert deviations.mean() == pytest.approx(0.25, abs=0.06)
    loud = levels[deviations.argmax()]
    assert blur(draws(9), space, loud, Chance(1.0, 8.0)).std() < loud.std()
