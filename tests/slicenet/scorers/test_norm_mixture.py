from dataclasses import replace

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


def standardised(scorer, features):
    return (features.vectors.double() - scorer.usual[features.cells()]) / scorer.spread


@pytest.mark.parametrize("by_place", [False, True])
def test_scores_are_minus_the_log_density_that_scipy_has(by_place):
    scorer = fitted([brain(seed) for seed in range(12)], by_place=by_place, components=(3,))
    new, found = brain(50), scorer.density
    standard = standardised(scorer, new) - found.standard.mean
    each = [
        multivariate_normal(mean, factor @ factor.T).logpdf(standard.numpy())
        for mean, factor in zip(found.means.numpy(), found.factors.numpy(), strict=True)
    ]
    wanted = -logsumexp(np.stack(each, 1) + np.log(found.weights.numpy()), axis=1)
    assert np.allclose(scorer.score(new), wanted, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_without_places_the_mixture_is_scikit_learns(count):
    maps = [brain(seed, apart=6.0) for seed in range(12)]
    scorer = fitted(maps, by_place=False, components=(count,))
    every = torch.cat([one.vectors for one in maps]).double()
    others = (every.sum(0) - every) / (len(every) - 1)
    spread = (every - others).square().mean(0).sqrt()
    seen, known = (((every - mean) / spread).numpy() for mean in (others, every.mean(0)))
    wanted = GaussianMixture(count, reg_covar=1e-2, random_state=0, max_iter=300).fit(seen)
    found = torch.cat([scorer.score(one) for one in maps])
    assert np.allclose(-found, wanted.score_samples(known), rtol=1e-3, atol=1e-3)


def test_a_norm_is_held_against_what_other_volumes_have_in_its_cell():
    maps = [brain(seed, apart=0.0) for seed in range(9)]
    scorer = fitted(maps, components=(1,))
    stacked = torch.stack([one.vectors for one in maps]).double()  # [V, N, C]
    overall = stacked.mean((0, 1))
    wanted = (stacked.sum(0) + overall) / 10
    torch.testing.assert_close(scorer.usual[INSIDE.flatten()], wanted)
    torch.testing.assert_close(scorer.usual[2], overall)  # which no volume has
    # Each against the others: its own norm does not bring what is usual nearer to it.
    around = []
    for volume in range(9):
        for place in range(stacked.shape[1]):
            own = torch.zeros(stacked.shape[:2], dtype=torch.bool)
            own[volume, place] = True
            rest, there = stacked[~own].mean(0), stacked[:, place][~own[:, place]]
            around.append(stacked[own][0] - (there.sum(0) + rest) / 9)
    torch.testing.assert_close(scorer.spread, torch.stack(around).square().mean(0).sqrt())


def test_a_norm_that_is_usual_elsewhere_is_strange_where_it_is_not():
    scorer = fitted([brain(seed, apart=0.0) for seed in range(9)], components=(1,))
    swapped = brain(50, apart=0.0, level=LEVEL.flip(0))
    assert scorer.score(swapped).mean() > scorer.score(brain(50, apart=0.0)).mean() + 3


@pytest.mark.parametrize(("apart", "wanted"), [(0.0, 1), (6.0, 2)])
def test_as_many_components_are_chosen_as_volumes_left_out_ask_for(apart, wanted):
    inside, level = torch.ones(1, 1, 40, dtype=torch.bool), torch.zeros(40)
    maps = [brain(seed, apart, inside, level) for seed in range(12)]
    scorer = fitted(maps, by_place=False, components=(1, 2, 4, 6))
    assert len(scorer.density.weights) == wanted


@pytest.mark.parametrize(("known", "wanted"), [(True, 1), (False, 3)])
def test_copies_of_a_brain_are_left_out_with_it(known, wanted):
    inside, level = torch.ones(1, 1, 40, dtype=torch.bool), torch.zeros(40)
    maps = []
    for seed in range(9):
        one, own = brain(seed, 0.0, inside, level), seed % 3
        shift = torch.eye(3)[own] * 60
        maps.append(replace(one, vectors=one.vectors + shift, subject=f"p{own}" if known else ""))
    scorer = fitted(maps, by_place=False, components=(1, 3))
    assert len(scorer.density.weights) == wanted


@pytest.mark.parametrize(("components", "wanted"), [((4,), 1), ((1, 4), 1), ((2, 4), 2)])
def test_fewer_vectors_than_components_leave_what_there_is_enough_for(components, wanted):
    three = torch.tensor([[[True, True, True]]])
    scorer = fitted([brain(0, 0.0, three, torch.zeros(3))], components=components)
    assert len(scorer.density.weights) == wanted
    assert torch.isfinite(scorer.score(brain(1, 0.0, three, torch.zeros(3)))).all()


def test_a_single_vector_has_no_density():
    one = torch.ones(1, 1, 1, dtype=torch.bool)
    with pytest.raises(ConfigError, match="single vector"):
        fitted([brain(0, 0.0, one, torch.zeros(1))])


def test_a_saved_state_scores_the_same():
    scorer, new = fitted([brain(seed) for seed in range(8)]), brain(30)
    other = NormMixtureScorer(NormMixtureSettings())
    for name, tensor in scorer.state_dict().items():
        owner, _, leaf = name.rpartition(".")
        setattr(other.get_submodule(owner), leaf, tensor.clone())
    assert torch.equal(other.score(new), scorer.score(new))


@pytest.mark.parametrize(
    "wrong",
    [
        {"components": ()},
        {"components": (2, 1)},
        {"components": (0,)},
        {"folds": 1},
        {"ridge": 0.0},
        {"kept": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        NormMixtureSettings(**wrong)
