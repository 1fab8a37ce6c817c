import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions.relaxed_categorical import ExpRelaxedCategorical

from slicenet.flows.relaxation import (
    LadderSettings,
    Rung,
    blocks,
    expected,
    gumbel,
    logits,
    relaxed,
    score,
    strangeness,
    target,
)

K, FLOOR = 5, 1e-5


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(count=2000):
    return torch.randint(K, (count,), generator=draw(9))


def points(rung, count=200):
    given = logits(codes(count), K, FLOOR).double() / rung.logits
    return given, relaxed(given + gumbel(given, draw()), rung.points)


@pytest.mark.parametrize("rung", [Rung(1, 20), Rung(1, 2), Rung(20, 1), Rung(3, 0.7)])
def test_the_score_is_the_gradient_of_torchs_own_relaxed_log_density(rung):
    given, seen = points(rung)
    seen = seen.requires_grad_(True)
    density = ExpRelaxedCategorical(torch.tensor(rung.points).double(), logits=given)
    (wanted,) = torch.autograd.grad(density.log_prob(seen).sum(), seen)
    found = score(target(given, seen, rung.points), rung.points)
    assert torch.allclose(found, wanted.detach(), rtol=1e-6, atol=1e-6)


def test_points_lie_on_the_simplex_and_the_score_keeps_them_there():
    given, seen = points(Rung(3, 2))
    assert torch.allclose(seen.exp().sum(1), torch.ones(len(seen)).double())
    total = score(target(given, seen, 2.0), 2.0).sum(1)
    assert torch.allclose(total, torch.zeros_like(total), atol=1e-9)


def test_noise_is_gumbels():
    noise = gumbel(torch.empty(4000), draw())
    assert stats.kstest(noise.double().numpy(), "gumbel_r").pvalue > 1e-3


RUNGS = [Rung(1, 20), Rung(20, 1), Rung(3, 0.7)]


@pytest.mark.parametrize("rung", RUNGS)
def test_what_is_expected_is_the_posterior_mean_of_the_targets(rung):
    _, seen = points(rung)
    belief = torch.randn(len(seen), K, generator=draw(4)).double()
    one_by_one, chances = [], []
    for kind in range(K):
        given = logits(torch.full((len(seen),), kind), K, FLOOR).double() / rung.logits
        one_by_one.append(target(given, seen, rung.points))
        density = ExpRelaxedCategorical(torch.tensor(rung.points).double(), logits=given)
        chances.append(density.log_prob(seen))
    posterior = (belief + torch.stack(chances, 1)).softmax(1)  # [N, K], by Bayes
    wanted = (posterior[:, :, None] * torch.stack(one_by_one, 1)).sum(1)
    found = expected(belief, seen, FLOOR, rung)
    assert torch.allclose(found, wanted, rtol=1e-6, atol=1e-9)
    assert torch.allclose(found.sum(1), torch.ones(len(seen)).double())


@pytest.mark.parametrize("rung", RUNGS)
def test_the_score_of_what_is_expected_is_that_of_the_whole_density(rung):
    _, seen = points(rung)
    seen = seen.requires_grad_(True)
    belief = torch.randn(K, generator=draw(4)).double().log_softmax(0)
    parts = []
    for kind in range(K):
        given = logits(torch.tensor([kind]), K, FLOOR).double() / rung.logits
        density = ExpRelaxedCategorical(torch.tensor(rung.points).double(), logits=given)
        parts.append(belief[kind] + density.log_prob(seen))
    (wanted,) = torch.autograd.grad(torch.stack(parts).logsumexp(0).sum(), seen)
    told = expected(belief.expand(len(seen), K), seen, FLOOR, rung)
    assert torch.allclose(score(told, rung.points), wanted.detach(), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("rung", RUNGS)
def test_without_noise_the_own_category_has_no_score_and_another_the_longest(rung):
    given = logits(codes(), K, FLOOR) / rung.logits
    seen = relaxed(given, rung.points)
    sure = torch.nn.functional.one_hot(codes(), K) * 500.0
    own = strangeness(expected(sure, seen, FLOOR, rung), FLOOR, rung)
    assert own.max() < 1e-3
    other = strangeness(expected(sure.roll(1, 1), seen, FLOOR, rung), FLOOR, rung)
    assert torch.allclose(other, torch.ones_like(other), atol=1e-3)


def test_strangeness_rises_with_the_belief_in_another():
    rung = Rung(20.0, 1.0)
    seen = relaxed(logits(torch.zeros(9), K, FLOOR) / rung.logits, rung.points)
    belief = torch.zeros(9, K)
    belief[:, 0], belief[:, 1] = 6, torch.linspace(0, 12, 9)
    found = strangeness(expected(belief, seen, FLOOR, rung), FLOOR, rung)
    assert (found.diff() > 0).all()


def kept(rung):
    """Share of categories that can be read off their points."""
    return float((points(rung, 20_000)[1].argmax(1) == codes(20_000)).float().mean())


def test_a_temperature_of_the_logits_hides_them_as_the_tempered_chances_have_it():
    for temperature in (20.0, 5.0, 2.0):
        right = 1 / (1 + (K - 1) * FLOOR ** (1 / temperature))
        assert kept(Rung(temperature, 1.0)) == pytest.approx(right, abs=0.015)


def test_the_published_temperature_hides_nothing():
    assert min(kept(Rung(1.0, temperature)) for temperature in (20.0, 2.0)) > 0.999
    given = logits(codes(), K, FLOOR)
    noise = gumbel(given, draw())
    hot, cold = (relaxed(given + noise, t) * t for t in (20.0, 2.0))
    difference = hot - cold  # a change of unit, and of where the field's zero is
    assert torch.allclose(difference, difference[:, :1].expand_as(difference), atol=1e-4)


def test_the_logits_are_those_of_a_clipped_one_hot():
    assert torch.allclose(logits(torch.arange(K), K, FLOOR), torch.eye(K).clamp(min=FLOOR).log())


def test_fields_of_any_shape_keep_it():
    volume = torch.randint(K, (2, 3, 4, 5), generator=draw())
    given = logits(volume, K, FLOOR)
    assert given.shape == (2, K, 3, 4, 5)
    assert torch.equal(given.argmax(1), volume)
    told = expected(given, given, FLOOR, Rung(2, 1))
    assert strangeness(told, FLOOR, Rung(2, 1)).shape == volume.shape
    assert [part.shape[1] for part in blocks(given, (2, 3))] == [2, 3]


@pytest.mark.parametrize("published", [False, True])
def test_the_ladder_is_geometric_between_its_ends(published):
    rungs = LadderSettings(levels=5, temperatures=(20, 2), published=published).rungs()
    changing = [rung.points if published else rung.logits for rung in rungs]
    fixed = [rung.logits if published else rung.points for rung in rungs]
    assert (changing[0], changing[-1]) == (pytest.approx(20), pytest.approx(2))
    assert np.allclose(np.diff(np.log(changing), 2), 0, atol=1e-12)
    assert fixed == [1.0] * 5


def test_one_kind_alone_is_never_strange():
    told = target(logits(torch.zeros(3), 1, FLOOR), torch.zeros(3, 1), 2.0)
    assert strangeness(told, FLOOR, Rung(2, 1)).tolist() == [0, 0, 0]
    assert math.isfinite(float(score(told, 2.0).sum()))


@pytest.mark.parametrize("floor", [1e-5, 1e-12])
@pytest.mark.parametrize("kinds", [2, 40])
def test_the_coldest_ladder_there_can_be_keeps_numbers(floor, kinds):
    least = -math.log(floor) / math.log(np.finfo(np.float32).max)
    with pytest.raises(ValueError, match="single precision holds"):
        LadderSettings(temperatures=(1.0, 0.999 * least), floor=floor)
    rung = LadderSettings(temperatures=(1.0, 1.01 * least), floor=floor).rungs()[-1]
    given = logits(codes(50) % kinds, kinds, floor) / rung.logits
    seen = relaxed(given + gumbel(given, draw()), rung.points)
    told = expected(torch.randn(given.shape, generator=draw(1)), seen, floor, rung)
    assert torch.allclose(told.sum(1), torch.ones(50), atol=1e-4)
    assert torch.isfinite(strangeness(told, floor, rung)).all()


def test_a_floor_too_low_for_single_precision_is_refused_however_noise_is_divided():
    with pytest.raises(ValueError, match="temperatures must be"):
        LadderSettings(floor=1e-40, published=True)
    assert LadderSettings(temperatures=(1.0, 0.01), published=True).rungs()[-1].points < 0.02


@pytest.mark.parametrize(
    "wrong",
    [{"levels": 0}, {"temperatures": (0.0, 1.0)}, {"temperatures": (1.0,)}, {"floor": 0.0}],
)
def test_impossible_ladders_are_refused(wrong):
    with pytest.raises(ValueError, match=r"levels|floor must"):
        LadderSettings(**wrong)
