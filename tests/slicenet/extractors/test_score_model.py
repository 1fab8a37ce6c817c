import numpy as np
import pytest
import torch
from torch import nn

from slicenet.errors import ConfigError
from slicenet.extractors.score_model import CODE, NoiseLevelSettings, ScoreModel, level_code


class Says(nn.Module):
    """A network that remembers what it was shown and says one thing."""

    def __init__(self, answer=0.0):
        super().__init__()
        self.answer = answer

    def forward(self, seen, code):
        self.seen, self.code = seen, code
        return torch.full_like(seen[:, :2], self.answer)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(5, 2), (5, 2, 4, 3), (5, 2, 4, 3, 2)])
def test_a_network_that_says_nothing_leaves_the_score_of_one_gaussian(shape):
    model = ScoreModel(Says())
    model.scale.fill_(1.7)
    noisy, levels = 3 * drawn(*shape), torch.tensor([0.01, 0.3, 1.0, 5.0, 80.0])
    found = model(noisy, levels, drawn(5, 1, *shape[2:]))
    wide = levels.view(-1, *[1] * (len(shape) - 1))
    # Noise added to N(0, s²) gives N(0, s² + level²), whose log density autograd differentiates.
    points = noisy.double().requires_grad_()
    spread = (1.7**2 + wide.double().square()).sqrt().expand(shape)
    density = torch.distributions.Normal(torch.zeros_like(spread), spread).log_prob(points)
    (score,) = torch.autograd.grad(density.sum(), points)
    torch.testing.assert_close(found.double(), wide.double() * score, atol=1e-5, rtol=1e-4)


def test_what_the_network_is_shown_has_unit_spread_at_every_level():
    model = ScoreModel(Says())
    model.scale.fill_(0.5)
    for level in (0.05, 0.5, 5.0):
        clean, noise = 0.5 * drawn(4000, 2), drawn(4000, 2, seed=1)
        model(clean + level * noise, torch.full((4000,), level), torch.zeros(4000, 1))
        assert model.network.seen[:, :2].std().item() == pytest.approx(1, abs=0.03)


def test_the_surprise_is_denoisings_in_the_unit_of_the_network():
    # Where D = x + level² · score is what the noise is taken off to, published is
    # (D - clean)² / level²; even among levels it is that times (level² + scale²) / scale².
    model = ScoreModel(Says(0.3))
    model.scale.fill_(0.8)
    clean, noise, context = drawn(4, 2, 5, 5), drawn(4, 2, 5, 5, seed=1), torch.zeros(4, 1, 5, 5)
    levels = torch.tensor([0.1, 0.5, 1.0, 4.0])
    wide = levels.view(-1, 1, 1, 1)
    noisy = clean + wide * noise
    restored = noisy + wide * model(noisy, levels, context)
    published = (restored - clean).square() / wide.square()
    wanted = published * (wide.square() + 0.64) / 0.64
    torch.testing.assert_close(
        model.surprise(clean, levels, context, noise), wanted, atol=1e-4, rtol=1e-3
    )


def test_levels_are_geometric():
    found = NoiseLevelSettings(10, 0.01, 1.0).levels().numpy()
    assert np.allclose(found, np.geomspace(0.01, 1.0, 10), rtol=1e-6)
    between = NoiseLevelSettings(10, 0.01, 1.0).between(torch.tensor([0.0, 0.5, 1.0]))
    assert np.allclose(between.numpy(), [0.01, 0.1, 1.0], rtol=1e-6)


def test_codes_tell_every_two_levels_apart():
    code = level_code(NoiseLevelSettings(20, 0.05, 80.0).levels())
    assert code.shape == (20, CODE)
    apart = torch.cdist(code, code) + 10 * torch.eye(20)
    assert apart.min() > 0.3


@pytest.mark.parametrize("wrong", [{"count": 1}, {"least": 0.0}, {"least": 2.0, "most": 1.0}])
def test_levels_that_do_not_rise_are_refused(wrong):
    with pytest.raises(ConfigError, match="levels"):
        NoiseLevelSettings(**wrong)
