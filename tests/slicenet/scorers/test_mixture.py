import numpy as np
import pytest
import torch
from scipy.stats import multivariate_t, sem
from sklearn.mixture import GaussianMixture

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.mixture_fitting import FittingSettings
from slicenet.scorers.mixture import ROWS, MixtureScorer, MixtureSettings, fewest
from slicenet.watch import silent

SCALE = torch.tensor([1.0, 3.0, 10.0])
CENTRES = torch.tensor([[0.0, 0.0, 0.0], [8.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.0, 0.0, 8.0]])


def brain(seed, count=120, shift=0.0, kinds=1):
    draws = torch.Generator().manual_seed(seed)
    places = CENTRES[torch.randint(kinds, (count,), generator=draws)]
    noise = torch.randn(count, 3, generator=draws)
    inside = torch.ones(count, 1, 1, dtype=torch.bool)
    return FeatureMap((noise + places + shift) * SCALE + 50, inside)


def fitted(settings, volumes=6, seed=0, **made):
    torch.manual_seed(seed)
    scorer = MixtureScorer(settings)
    scorer.fit([brain(volume, **made) for volume in range(volumes)], silent)
    return scorer


@pytest.mark.parametrize(("ours", "theirs"), [("full", "full"), ("diagonal", "diag")])
def test_one_gaussian_scores_as_that_of_scikit_learn(ours, theirs):
    settings = MixtureSettings((1,), fitting=FittingSettings(covariance=ours))
    scorer = fitted(settings)
    healthy = torch.cat([scorer.standard(brain(volume).vectors) for volume in range(6)])
    peer = GaussianMixture(1, covariance_type=theirs, reg_covar=1e-3).fit(healthy.double().numpy())
    for shift in (0.0, 3.0):
        new = brain(9, count=ROWS + 5, shift=shift)
        wanted = -peer.score_samples(scorer.standard(new.vectors).double().numpy())
        assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-5)


def test_students_t_score_as_that_of_scipy():
    fitting = FittingSettings("student", freedom=4.0)
    scorer = fitted(MixtureSettings((1,), fitting=fitting))
    factor = scorer.factors[0].numpy()
    peer = multivariate_t(scorer.means[0].numpy(), factor @ factor.T, df=4)
    new = brain(9, shift=3.0)
    wanted = -peer.logpdf(scorer.standard(new.vectors).double().numpy())
    assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-5)


@pytest.mark.parametrize("kinds", [1, 4])
def test_as_many_components_are_chosen_as_there_are_kinds(kinds):
    scorer = fitted(MixtureSettings((1, 4, 16)), kinds=kinds)
    assert len(scorer.weights) == kinds


@pytest.mark.parametrize("seed", range(6))
def test_the_fewest_that_are_as_good_as_the_best_but_for_chance(seed):
    held = np.random.default_rng(seed).normal(size=(5, 4)) + np.linspace(0, 2, 5)[:, None]
    best = held[held.mean(1).argmax()]
    good = [row for row, one in enumerate(held) if np.mean(best - one) <= sem(best - one)]
    assert fewest(torch.from_numpy(held)) == good[0]


def test_a_hair_is_no_reason_for_more_components():
    told = []
    torch.manual_seed(0)
    scorer = MixtureScorer(MixtureSettings((1, 2, 3)))
    # A draw of one kind of brain of which two components are a little more likely.
    maps = [brain(volume, count=40) for volume in range(42, 48)]
    scorer.fit(maps, lambda *_, **values: told.append(values["held"]))
    assert max(told) > told[0]
    assert len(scorer.weights) == 1


def test_a_single_number_needs_no_vectors_to_choose_by():
    assert len(fitted(MixtureSettings((4,)), volumes=2, count=2).weights) == 4
    assert len(fitted(MixtureSettings((5,)), volumes=2, count=2).weights) == 1


def test_volumes_are_held_out_whole():
    # Each volume lies elsewhere, so that what fits the others best never fits it better by parts.
    def shifted(seed):
        return FeatureMap(brain(seed).vectors + 40 * SCALE * CENTRES[seed % 4], brain(0).inside)

    told = []
    scorer = MixtureScorer(MixtureSettings((1, 4), folds=4))
    scorer.fit([shifted(seed) for seed in range(4)], lambda *_, **values: told.append(values))
    assert told[0]["held"] > told[1]["held"]
    assert len(scorer.weights) == 1


@pytest.mark.parametrize("known", [True, False])
def test_copies_of_a_brain_are_held_out_with_it(known):
    def shifted(seed):
        vectors = brain(seed).vectors + 40 * SCALE * CENTRES[seed % 4]
        return FeatureMap(vectors, brain(0).inside, subject=f"p{seed % 4}" if known else "")

    torch.manual_seed(0)
    scorer = MixtureScorer(MixtureSettings((1, 4), folds=4))
    scorer.fit([shifted(seed) for seed in range(12)], silent)
    # What fits the copies of a brain fits it too, where they are taken for other brains.
    assert len(scorer.weights) == (1 if known else 4)


def test_one_vector_a_volume_is_enough():
    scorer = fitted(MixtureSettings((1, 2, 4, 16)), volumes=12, count=1)
    assert torch.isfinite(scorer.score(brain(20))).all()
    alone = fitted(MixtureSettings((2, 4)), volumes=1, count=1)
    assert torch.isfinite(alone.score(brain(20))).all()


def test_a_single_volume_is_parted_itself():
    scorer = fitted(MixtureSettings((1, 2, 4)), volumes=1, count=600, kinds=4)
    assert len(scorer.weights) == 4


def test_what_is_learnt_follows_from_the_seed_of_the_build():
    settings = MixtureSettings((3,), kept=200)
    one, two, other = (fitted(settings, seed=seed).means for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_constant_channel_and_twins_keep_scores_finite():
    same = FeatureMap(torch.ones(30, 3), torch.ones(30, 1, 1, dtype=torch.bool))
    scorer = MixtureScorer(MixtureSettings())
    scorer.fit([same, same], silent)
    assert torch.isfinite(scorer.score(brain(9))).all()


def test_no_vector_has_no_score():
    empty = FeatureMap(torch.zeros(0, 3), torch.zeros(4, 1, 1, dtype=torch.bool))
    assert fitted(MixtureSettings((1,))).score(empty).shape == (0,)


@pytest.mark.parametrize(
    "wrong", [{"components": ()}, {"components": (2, 1)}, {"components": (0,)}, {"folds": 1},
              {"kept": 1}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        MixtureSettings(**wrong)
