import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError, ResourceError
from slicenet.features import FeatureMap
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings
from slicenet.watch import silent

INSIDE = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(7)) > 0.3
COUNT = int(INSIDE.sum())
PLAIN = {"ridge": 0.0}


def maps(subjects=40, channels=3, seed=0, scale=1.0, offset=0.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(1).standard_normal((channels, channels))
    places = np.random.default_rng(2).standard_normal((COUNT, channels)) * 3
    return [
        FeatureMap(
            torch.from_numpy(
                offset + scale * (places + rng.standard_normal((COUNT, channels)) @ mixing)
            ),
            INSIDE,
        )
        for _ in range(subjects)
    ]


def fitted(settings, cohort):
    scorer = GaussianScorer(settings)
    scorer.fit(cohort, silent)
    return scorer


def distances(centred, covariance):
    return np.sqrt(np.einsum("nc,ncd,nd->n", centred, np.linalg.inv(covariance), centred))


def test_shared_everything_is_the_mahalanobis_distance_of_all_vectors():
    cohort, new = maps(), maps(1, seed=9)[0]
    every = np.concatenate([m.vectors.numpy() for m in cohort])
    wanted = distances(new.vectors.numpy() - every.mean(0), np.cov(every.T)[None].repeat(COUNT, 0))
    scorer = fitted(GaussianSettings(mean="shared", **PLAIN), cohort)
    assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-4)


def test_one_covariance_around_the_mean_of_each_place():
    cohort, new = maps(), maps(1, seed=9)[0]
    stacked = np.stack([m.vectors.numpy() for m in cohort])  # [S, N, C]
    inner = (stacked - stacked.mean(0)).reshape(-1, 3)
    covariance = inner.T @ inner / (COUNT * (len(cohort) - 1))
    # Each place's mean is drawn to the whole brain's with the weight of one subject.
    means = (stacked.sum(0) + stacked.mean((0, 1))) / (len(cohort) + 1)
    wanted = distances(new.vectors.numpy() - means, covariance[None].repeat(COUNT, 0))
    scorer = fitted(GaussianSettings(**PLAIN), cohort)
    assert np.allclose(scorer.score(new).numpy(), wanted, rtol=1e-4)


def test_covariances_of_places_shrink_towards_the_shared_one():
    cohort, new = maps(subjects=12), maps(1, seed=9)[0]
    settings = GaussianSettings(covariance="position", prior=5.0, ridge=0.0)
    stacked = np.stack([m.vectors.numpy() for m in cohort])
    inner = stacked - stacked.mean(0)
    scatter = np.einsum("snc,snd->ncd", inner, inner)
    shared = scatter.sum(0) / (COUNT * 11)
    means = (stacked.sum(0) + stacked.mean((0, 1))) / 13
    wanted = distances(new.vectors.numpy() - means, (scatter + 5 * shared) / 16)
    assert np.allclose(fitted(settings, cohort).score(new).numpy(), wanted, rtol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [GaussianSettings(mean="shared"), GaussianSettings(), GaussianSettings(covariance="position")],
)
def test_two_fits_merge_into_one_over_both(settings):
    first, second = maps(9, seed=1, scale=1e-2, offset=1e6), maps(4, seed=2, scale=1e-2, offset=1e6)
    merged, whole = fitted(settings, first), fitted(settings, first + second)
    merged.merge(fitted(settings, second))
    for name in ("count", "mean", "scatter", "overall"):
        one, two = getattr(merged, name), getattr(whole, name)
        assert torch.allclose(one, two, rtol=1e-7, atol=1e-9), name
    new = maps(1, seed=9, scale=1e-2, offset=1e6)[0]
    assert torch.allclose(merged.score(new), whole.score(new), rtol=1e-3)


def test_fits_over_other_places_merge_and_hold_no_place_that_nobody_has():
    part = INSIDE.clone()
    part[0] = False
    rest = INSIDE & ~part
    settings = GaussianSettings(covariance="position")

    def within(window, seed):
        return [FeatureMap(one.vectors[window[INSIDE]], window) for one in maps(5, seed=seed)]

    first, second = within(part, 1), within(rest, 2)
    merged = fitted(settings, first)
    assert len(merged.count) == 1 + int(part.sum())
    merged.merge(fitted(settings, second))
    whole, new = fitted(settings, first + second), maps(1, seed=9)[0]
    assert torch.equal(merged.row, whole.row)
    assert len(merged.count) == 1 + COUNT
    assert torch.allclose(merged.score(new), whole.score(new), rtol=1e-4)


def test_fits_that_differ_in_settings_do_not_merge():
    one, two = (fitted(GaussianSettings(ridge=ridge), maps(4)) for ridge in (1e-3, 1e-2))
    with pytest.raises(ConfigError, match="cannot merge"):
        one.merge(two)


def test_components_are_the_directions_of_most_variance():
    cohort = maps()
    scorer = fitted(GaussianSettings(mean="shared", components=2), cohort)
    every = np.concatenate([m.vectors.numpy() for m in cohort])
    _, vectors = np.linalg.eigh(np.cov(every.T))
    overlap = np.abs(scorer.basis.numpy().T @ vectors[:, ::-1][:, :2])
    assert np.allclose(overlap, np.eye(2), atol=1e-6)
    assert scorer.scatter.shape == (1, 2, 2)
    with pytest.raises(ConfigError, match="4 of 3 channels"):
        fitted(GaussianSettings(components=4), cohort)


def test_a_place_that_no_subject_covered_is_still_scored():
    cohort = maps(6)
    everywhere = torch.ones_like(INSIDE)
    scorer = fitted(GaussianSettings(covariance="position"), cohort)
    scores = scorer.score(FeatureMap(torch.zeros(everywhere.numel(), 3), everywhere))
    assert torch.isfinite(scores).all()


def test_a_constant_channel_does_not_break_the_factorisation():
    cohort = [FeatureMap(m.vectors * torch.tensor([1.0, 1.0, 0.0]), m.inside) for m in maps(5)]
    assert torch.isfinite(fitted(GaussianSettings(ridge=0.0), cohort).score(cohort[0])).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": "x"},
        {"covariance": "x"},
        {"ridge": -1.0},
        {"components": -1},
        {"mean": "shared", "covariance": "position"},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        GaussianSettings(**wrong)


def test_logarithms_keep_the_order_and_bring_outliers_near():
    cohort, new = maps(), maps(1, seed=9, scale=5.0)[0]
    plain = fitted(GaussianSettings(), cohort).score(new)
    found = fitted(GaussianSettings(log=True), cohort).score(new)
    assert np.allclose(found.numpy(), np.log1p(plain.numpy()), rtol=1e-6)


def test_the_size_of_the_covariances_is_told_before_there_are_any():
    told = []
    scorer = GaussianScorer(GaussianSettings(covariance="position"))
    scorer.fit(maps(4), lambda stage, done, total, **values: told.append((stage, total, values)))
    places = COUNT + 1  # one more for cells that no brain of the cohort has
    size = places * 3 * 3 * 8 / 1e9
    assert told[0] == ("covariances", places, {"channels": 3, "gigabytes": size})
    assert scorer.scatter.nbytes / 1e9 == size


def test_covariances_beyond_the_memory_are_refused_before_any_is_made():
    huge = FeatureMap(torch.zeros(8, 300_000), torch.ones(2, 2, 2, dtype=torch.bool))
    scorer = GaussianScorer(GaussianSettings(covariance="position"))
    with pytest.raises(ResourceError, match=r"6480\.0 GB.*fewer components"):
        scorer.fit([huge], silent)
