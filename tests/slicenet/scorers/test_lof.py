import numpy as np
import pytest
import torch
from sklearn.neighbors import LocalOutlierFactor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.lof import LofScorer, LofSettings
from slicenet.watch import silent

INSIDE = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(7)) > 0.3
COUNT = int(INSIDE.sum())
SCALE = torch.tensor([1.0, 3.0, 10.0, 0.1])


def brain(seed, shift=0.0):
    noise = torch.randn(COUNT, 4, generator=torch.Generator().manual_seed(seed))
    return FeatureMap((noise + shift) * SCALE + 50, INSIDE)


def fitted(settings, volumes=5, seed=0):
    torch.manual_seed(seed)
    scorer = LofScorer(settings)
    scorer.fit([brain(volume) for volume in range(volumes)], silent)
    return scorer


@pytest.mark.parametrize(
    "settings",
    [LofSettings(), LofSettings(nearest=5, standardise=False), LofSettings(kept=101, nearest=20)],
)
def test_a_score_is_the_outlier_factor_of_scikit_learn(settings):
    scorer = fitted(settings)
    peer = LocalOutlierFactor(n_neighbors=settings.nearest, novelty=True)
    peer.fit(scorer.vectors.double().numpy())
    for shift in (0.0, 3.0):
        new = brain(9, shift)
        wanted = -peer.score_samples(scorer.standard(new.vectors).double().numpy())
        assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-4)


def test_what_is_kept_is_healthy_and_within_the_budget():
    scorer = fitted(LofSettings(kept=101))
    assert scorer.vectors.shape == (101, 4)
    healthy = torch.cat([scorer.standard(brain(volume).vectors) for volume in range(5)])
    assert float(torch.cdist(scorer.vectors, healthy).amin(1).max()) < 1e-3


def test_fewer_vectors_than_neighbours_are_compared_with_all_others():
    inside = torch.ones(6, 1, 1, dtype=torch.bool)
    few = FeatureMap(brain(0).vectors[:6], inside)
    scorer = LofScorer(LofSettings(nearest=20))
    scorer.fit([few], silent)
    peer = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(scorer.vectors.double().numpy())
    new = FeatureMap(brain(1).vectors[:6], inside)
    wanted = -peer.score_samples(scorer.standard(new.vectors).double().numpy())
    assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-4)
    single = FeatureMap(few.vectors[:1], inside[:1])
    with pytest.raises(ConfigError, match="no neighbour"):
        LofScorer(LofSettings()).fit([single], silent)


def test_twins_and_constant_channels_keep_scores_finite():
    same = FeatureMap(torch.ones(COUNT, 4), INSIDE)
    scorer = LofScorer(LofSettings())
    scorer.fit([same, same], silent)
    assert torch.isfinite(scorer.density).all()
    assert torch.isfinite(scorer.score(brain(9))).all()


def test_what_is_kept_follows_from_the_seed_of_the_build():
    one, two, other = (fitted(LofSettings(kept=40), seed=seed).vectors for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_no_vector_has_no_score():
    empty = FeatureMap(torch.zeros(0, 4), torch.zeros_like(INSIDE))
    assert fitted(LofSettings()).score(empty).shape == (0,)


@pytest.mark.parametrize("wrong", [{"kept": 1}, {"nearest": 0}, {"kept": 20}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        LofSettings(**wrong)


def by_position(**settings):
    return fitted(LofSettings(scope="position", nearest=5, least=6, **settings), volumes=8)


def test_by_position_a_score_is_the_factor_among_the_vectors_of_that_place():
    scorer = by_position(around=(0, 0, 0))
    assert not scorer.vectors.numel()
    new = brain(9, 1.0)
    scores = scorer.score(new)
    every = torch.stack([scorer.standard(brain(volume).vectors) for volume in range(8)])
    queries = scorer.standard(new.vectors).double().numpy()
    for row in range(0, COUNT, 7):
        peer = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(every[:, row].double().numpy())
        wanted = -peer.score_samples(queries[row : row + 1])[0]
        assert scores[row].item() == pytest.approx(wanted, rel=1e-3)


def test_what_is_usual_in_one_place_stands_out_in_another():
    place = torch.linspace(-5, 5, COUNT)[:, None]
    maps = [FeatureMap(brain(volume).vectors * 0.1 + place, INSIDE) for volume in range(8)]
    swapped = FeatureMap(maps[0].vectors.flip(0), INSIDE)
    settings = LofSettings(scope="position", around=(0, 0, 0), standardise=False, least=2)
    local, shared = LofScorer(settings), LofScorer(LofSettings(standardise=False))
    for scorer in (local, shared):
        scorer.fit(maps, silent)
    far = slice(0, COUNT // 3)
    assert local.score(swapped)[far].min() > 3 * local.score(maps[1])[far].median()
    assert shared.score(swapped)[far].median() < 1.5 * shared.score(maps[1])[far].median()


@pytest.mark.parametrize(
    "rows", [[[True, True, True]], [[True, False, False], [False, True, True]]]
)
def test_positions_without_two_vectors_have_no_factor(rows):
    maps = []
    for row in rows:
        inside = torch.tensor(row)[:, None, None]
        maps.append(FeatureMap(brain(len(maps)).vectors[: sum(row)], inside))
    alone = LofSettings(scope="position", around=(0, 0, 0))
    with pytest.raises(ConfigError, match="no position has two healthy vectors") as caught:
        LofScorer(alone).fit(maps, silent)
    assert caught.value.code == "E_TOO_FEW"
    together = LofScorer(LofSettings(scope="position", around=(1, 0, 0)))
    together.fit(maps, silent)
    assert torch.isfinite(together.score(maps[-1])).all()


def test_a_scope_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="shared, position"):
        LofSettings(scope="patient")
