import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.norm_mixture import NormMixtureScorer, NormMixtureSettings
from slicenet.watch import silent

INSIDE = torch.tensor([True, True, False, True, True, True])[None, None]
LEVEL = torch.tensor([0.0, 5.0, 50.0, -3.0, 8.0, 1.0])[INSIDE[0, 0]]


def brain(seed, apart=3.0, inside=INSIDE, level=LEVEL):
    """Three norms of each slice around what is usual there, of one of two kinds of brain."""
    draw = torch.Generator().manual_seed(seed)
    kind = apart * (2 * (seed % 2) - 1)
    noise = torch.randn(len(level), 3, generator=draw) * torch.tensor([1.0, 0.5, 2.0])
    return FeatureMap(noise + level[:, None] + kind, inside)


def fitted(maps, **settings):
    torch.manual_seed(0)
    scorer = NormMixtureScorer(NormMixtureSettings(**settings))
    scorer.fit(maps, silent)
    return scorer


@pytest.mark.parametrize("by_place", [False, True])
def test_scores_are_minus_the_log_density_that_scipy_has(by_place):
    scorer = fitted([brain(seed) for seed in range(12)], by_place=by_place, components=(3,))
    new = brain(50)
    standard = (new.vectors.double() - scorer.usual[new.cells()]) / scorer.spread
    each = [
        multivariate_normal(mean, np.linalg.inv(factor @ factor.T)).logpdf(standard.numpy())
        for mean, factor in zip(scorer.mean.numpy(), scorer.precision.numpy(), strict=True)
    ]
    wanted = -logsumexp(np.stack(each, 1) + scorer.weight.numpy(), axis=1)
    assert np.allclose(scorer.score(new), wanted, rtol=1e-5)


def test_without_places_the_mixture_is_scikit_learns():
    maps = [brain(seed) for seed in range(12)]
    scorer = fitted(maps, by_place=False, components=(2,))
    every = torch.cat([one.vectors for one in maps]).double()
    standard = ((every - every.mean(0)) / every.std(0, correction=0)).numpy()
    wanted = GaussianMixture(2, reg_covar=1e-2, random_state=0, max_iter=300).fit(standard)
    found = torch.cat([scorer.score(one) for one in maps])
    assert np.allclose(-found, wanted.score_samples(standard), rtol=1e-4)


def test_a_norm_is_held_against_what_other_volumes_have_in_its_cell():
    maps = [brain(seed, apart=0.0) for seed in range(9)]
    scorer = fitted(maps, components=(1,))
    stacked = torch.stack([one.vectors for one in maps]).double()  # [V, N, C]
    overall = stacked.mean((0, 1))
    wanted = (stacked.sum(0) + overall) / 10
    torch.testing.assert_close(scorer.usual[INSIDE.flatten()], wanted)
    torch.testing.assert_close(scorer.usual[2], overall)  # which no volume has
    # Each against the others: its own norm does not bring what is usual nearer to it.
    around = torch.stack([
        stacked[v] - (stacked.sum(0) - stacked[v] + overall) / 9 for v in range(9)
    ])  # fmt: skip
    torch.testing.assert_close(scorer.spread, around.square().mean((0, 1)).sqrt())


def test_a_norm_that_is_usual_elsewhere_is_strange_where_it_is_not():
    scorer = fitted([brain(seed, apart=0.0) for seed in range(9)], components=(1,))
    swapped = brain(50, apart=0.0, level=LEVEL.flip(0))
    assert scorer.score(swapped).mean() > scorer.score(brain(50, apart=0.0)).mean() + 3


@pytest.mark.parametrize(("apart", "wanted"), [(0.0, 1), (6.0, 2)])
def test_as_many_components_are_chosen_as_volumes_left_out_ask_for(apart, wanted):
    inside, level = torch.ones(1, 1, 40, dtype=torch.bool), torch.zeros(40)
    maps = [brain(seed, apart, inside, level) for seed in range(12)]
    scorer = fitted(maps, by_place=False, components=(1, 2, 4, 6))
    assert len(scorer.weight) == wanted


def test_one_volume_or_fewer_vectors_than_components_leave_the_simplest():
    assert len(fitted([brain(0)], components=(1, 2)).weight) == 1
    assert len(fitted([brain(0), brain(1)], components=(1, 40)).weight) == 1


def test_a_single_vector_has_no_density():
    one = torch.ones(1, 1, 1, dtype=torch.bool)
    with pytest.raises(ConfigError, match="single vector"):
        fitted([brain(0, 0.0, one, torch.zeros(1))])


def test_a_saved_state_scores_the_same():
    scorer, new = fitted([brain(seed) for seed in range(8)]), brain(30)
    other = NormMixtureScorer(NormMixtureSettings())
    for name, tensor in scorer.state_dict().items():
        setattr(other, name, tensor.clone())
    assert torch.equal(other.score(new), scorer.score(new))


@pytest.mark.parametrize(
    "wrong",
    [
        {"components": ()},
        {"components": (2, 1)},
        {"components": (0,)},
        {"folds": 1},
        {"ridge": 0.0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        NormMixtureSettings(**wrong)
