import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.denoising import (
    Clean,
    DenoisingSettings,
    draws,
    learn_scores,
    matching_loss,
)
from slicenet.extractors.score_model import NoiseLevelSettings, ScoreModel
from slicenet.extractors.score_networks import ScoreNetwork, ScoreNetworkSettings, VectorNetwork
from slicenet.watch import silent

LEVELS = NoiseLevelSettings(5, 0.1, 5.0)
MEAN = torch.tensor([1.0, -0.5])
COVARIANCE = torch.tensor([[1.0, 0.7], [0.7, 0.8]])


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def gaussian(step, count=256):
    factor = torch.linalg.cholesky(COVARIANCE)
    values = MEAN + drawn(count, 2, seed=step + 1) @ factor.T
    return Clean(values, torch.zeros(count, 1), torch.ones(count, 1))


def vectors(seed=0):
    torch.manual_seed(seed)
    return ScoreModel(VectorNetwork(3, 2, 32, 2))


def test_the_score_of_a_gaussian_is_recovered_at_every_level():
    model = vectors()
    settings = DenoisingSettings(steps=300, batch=256, rate=1e-2)
    learn_scores(model, gaussian, LEVELS, settings, 0, silent, "test")
    for level in LEVELS.levels():
        noisy = gaussian(10_000).values + level * drawn(256, 2, seed=5)
        # Noise adds to the covariance; the score of a Gaussian is linear.
        inverse = torch.linalg.inv(COVARIANCE + level.square() * torch.eye(2))
        wanted = -level * (noisy - MEAN) @ inverse
        found = model(noisy, level.expand(256), torch.zeros(256, 1))
        assert (found - wanted).square().mean() < 0.03 * wanted.square().mean(), level


def test_a_network_of_volumes_recovers_the_score_of_voxels():
    # Every voxel of the brain from one Gaussian, away from 0, and nothing outside.
    brain = torch.ones(1, 6, 6, 6)
    brain[..., :2] = 0

    def field(step):
        values = (1 + 0.5 * drawn(16, 1, 6, 6, 6, seed=step + 1)) * brain
        return Clean(values, brain.expand(16, 1, 6, 6, 6), brain.expand(16, 1, 6, 6, 6))

    torch.manual_seed(0)
    model = ScoreModel(ScoreNetwork(2, 1, ScoreNetworkSettings(width=8, depth=1)))
    settings = DenoisingSettings(steps=200, batch=16, rate=1e-2)
    learn_scores(model, field, LEVELS, settings, 0, silent, "test")
    inside = brain.expand(16, 1, 6, 6, 6).bool()
    for level in LEVELS.levels():
        clean = field(10_000)
        noisy = clean.values + level * drawn(16, 1, 6, 6, 6, seed=5) * clean.weight
        wanted = -level * (noisy - 1) / (0.25 + level.square())
        error = (model(noisy, level.expand(16), clean.context) - wanted)[inside]
        assert error.square().mean() < 0.08 * wanted[inside].square().mean(), level


def test_the_loss_counts_what_has_weight_and_nothing_else():
    model = vectors()
    clean, levels, noise = gaussian(0, 8), torch.full((8,), 0.5), drawn(8, 2, seed=3)
    half = torch.tensor([[1.0]] * 4 + [[0.0]] * 4)
    found = matching_loss(model, Clean(clean.values, clean.context, half), levels, noise)
    first = Clean(clean.values[:4], clean.context[:4], torch.ones(4, 1))
    alone = matching_loss(model, first, levels[:4], noise[:4])
    assert found.item() == pytest.approx(alone.item(), rel=1e-5)
    surprise = model.surprise(clean.values[:4], levels[:4], clean.context[:4], noise[:4])
    assert alone.item() == pytest.approx(0.5 * surprise.mean().item(), rel=1e-5)


def test_levels_and_noise_follow_from_seed_and_step_and_span_the_range():
    clean = gaussian(0, 100)
    first, noise = draws(clean, LEVELS, 3, 7)
    again = draws(clean, LEVELS, 3, 7)
    assert torch.equal(first, again[0])
    assert torch.equal(noise, again[1])
    assert not torch.equal(first, draws(clean, LEVELS, 3, 8)[0])
    ranks = (first.sort().values.log() - torch.tensor(0.1).log()) / torch.tensor(50.0).log()
    assert (ranks - (torch.arange(100) + 0.5) / 100).abs().max() <= 0.0051
    assert noise.std().item() == pytest.approx(1, abs=0.1)


def test_noise_falls_where_samples_count_alone():
    clean = gaussian(0, 6)
    covered = Clean(clean.values, clean.context, torch.tensor([[1.0], [0.0]] * 3))
    noise = draws(covered, LEVELS, 0, 0)[1]
    assert (noise[1::2] == 0).all()
    assert (noise[::2] != 0).all()


def test_training_again_gives_the_same_weights_and_leaves_nothing_to_learn():
    settings = DenoisingSettings(steps=5, batch=16)
    made = []
    for _ in range(2):
        model = vectors()
        learn_scores(model, lambda step: gaussian(step, 16), LEVELS, settings, 0, silent, "test")
        made.append(model)
    states = [model.state_dict() for model in made]
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
    assert not any(parameter.requires_grad for parameter in made[0].parameters())
    assert not made[0].training


def test_averaged_weights_are_those_of_the_steps_before():
    seen, settings = [], DenoisingSettings(steps=4, batch=16, average=0.5, schedule="constant")
    model = vectors()

    def watch(*_, **__):
        seen.append(model.network.first.weight.detach().clone())

    learn_scores(model, lambda step: gaussian(step, 16), LEVELS, settings, 0, watch, "test")
    wanted = vectors().network.first.weight.detach()
    for step, weight in enumerate(seen, start=1):
        stays = min(0.5, step / (step + 10))
        wanted = stays * wanted + (1 - stays) * weight
    torch.testing.assert_close(model.network.first.weight, wanted)


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_an_average_asks_for_all_weights_once_a_step(average):
    model, asked = vectors(), []
    model.register_state_dict_pre_hook(lambda *_: asked.append(1))
    settings = DenoisingSettings(steps=4, batch=16, average=average)
    learn_scores(model, lambda step: gaussian(step, 16), LEVELS, settings, 0, silent, "test")
    assert len(asked) == (5 if average else 0)  # and once before all


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 1}, {"average": 1.0}, {"rate": 0.0}])
def test_settings_that_learn_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        DenoisingSettings(**wrong)
