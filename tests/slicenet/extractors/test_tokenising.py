from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from slicenet.errors import ConfigError
from slicenet.extractors.tokeniser import Tokeniser, TokeniserSettings
from slicenet.extractors.tokenising import (
    PLAIN,
    Lessons,
    TokenisingSettings,
    cells,
    inaccuracy,
    learn_tokens,
    limited,
    shifted,
)
from slicenet.simulation import JitterSettings

SETTINGS = TokenisingSettings(steps=60, batch=6, rate=3e-3, average=0.9, shift=0.0)
NETWORK = TokeniserSettings(levels=2, width=12, blocks=1, codes=16)
STILL = JitterSettings(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CPU = torch.device("cpu")


def fresh(seed=0, settings=NETWORK):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Tokeniser(1, settings)


@pytest.fixture
def pool(make_pool):
    return make_pool(size=(32, 32))


def test_slices_are_given_back_better_and_better(pool, told):
    network = fresh()
    learn_tokens(network, pool, SETTINGS, 0, told)
    errors = [step["error"] for step in told.told]
    assert np.mean(errors[-5:]) < 0.4 * errors[0]
    assert all(1 <= step["perplexity"] <= 16 for step in told.told)
    assert told.told[-1]["perplexity"] > 6
    assert not network.training


def test_what_is_learnt_follows_from_the_seed_alone(pool, told):
    found = []
    for seed in (1, 1, 2):
        network = fresh()
        torch.rand(3)
        learn_tokens(network, pool, replace(SETTINGS, steps=3), seed, told)
        found.append(network.codebook.codes.clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_brightness_and_contrast_of_a_slice_vary_as_a_whole(pool):
    still = Lessons(pool, replace(SETTINGS, jitter=STILL), 0).at(0, CPU)
    varied = Lessons(pool, replace(SETTINGS, jitter=PLAIN), 0).at(0, CPU)
    assert torch.equal(still[1], varied[1])
    for before, after, brain in zip(still[0], varied[0], still[1], strict=True):
        a, b = before[0][brain].numpy(), after[0][brain].numpy()
        slope, offset = np.polyfit(a, b, 1)
        assert np.allclose(b, slope * a + offset, atol=2e-3)
        assert (after[0][~brain] == 0).all()
    assert not torch.allclose(still[0], varied[0], atol=0.01)


def test_slices_move_as_scipy_moves_them():
    images = torch.randn(3, 2, 9, 7)
    by = torch.tensor([[2, -1], [0, 0], [-3, 4]])
    found = shifted(images, by)
    for one, wanted, move in zip(found, images, by, strict=True):
        for own, plain in zip(one, wanted, strict=True):
            assert np.allclose(own, ndimage.shift(plain.numpy(), move.numpy(), order=0))


def test_no_slice_moves_farther_than_it_may(pool):
    lessons = Lessons(pool, replace(SETTINGS, jitter=STILL, shift=0.1, batch=12), 0)
    drawn = Lessons(pool, replace(SETTINGS, jitter=STILL, batch=12), 0)
    brains = [torch.cat([one.at(step, CPU)[1] for step in range(6)]) for one in (lessons, drawn)]
    middles = [
        np.array([ndimage.center_of_mass(brain.numpy()) for brain in part]) for part in brains
    ]
    moves = np.abs(middles[0] - middles[1])
    assert moves.max() <= 3 + 1e-6
    assert moves.max() > 1


def test_the_error_is_that_of_the_brain_alone():
    given, wanted = torch.randn(2, 3, 5, 5), torch.randn(2, 3, 5, 5)
    brain = torch.rand(2, 5, 5) > 0.5
    truth = np.mean([
        (given[s, m][brain[s]] - wanted[s, m][brain[s]]).square().numpy()
        for s in [0] for m in range(3)
    ])  # fmt: skip
    assert np.isclose(float(inaccuracy(given[:1], wanted[:1], brain[:1])), truth)


def test_a_token_with_a_single_voxel_of_brain_counts():
    brain = torch.zeros(1, 8, 8, dtype=torch.bool)
    brain[0, 7, 0] = True
    assert cells(brain, 4).tolist() == [[[False, False], [True, False]]]


def test_intensities_far_beyond_are_brought_near():
    assert limited(torch.tensor([-9.0, 0.5, 30.0])).tolist() == [-4.0, 0.5, 4.0]


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"each": 0}, {"commitment": -1.0}, {"average": 1.0}, {"revive": 1.0},
     {"shift": 1.0}, {"rate": 0.0}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        TokenisingSettings(**wrong)
