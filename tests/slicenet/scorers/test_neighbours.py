import sys

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings
from slicenet.watch import silent

INSIDE = torch.rand(4, 5, 6, generator=torch.Generator().manual_seed(7)) > 0.3
COUNT = int(INSIDE.sum())
SCALE = torch.tensor([1.0, 3.0, 10.0])


def brain(seed, count=COUNT):
    noise = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return FeatureMap(noise * SCALE + 50, INSIDE)


def fitted(settings, volumes=5, seed=0):
    torch.manual_seed(seed)
    scorer = NeighboursScorer(settings)
    torch.rand(3)  # what else draws must not matter
    scorer.fit([brain(volume) for volume in range(volumes)], silent)
    return scorer


@pytest.mark.parametrize("standardise", [True, False])
def test_a_score_is_the_mean_distance_to_the_nearest_of_all_healthy(standardise):
    everything = NeighboursSettings(
        bank=5 * COUNT, candidates=5 * COUNT, nearest=3, standardise=standardise
    )
    healthy = torch.cat([brain(volume).vectors for volume in range(5)]).double().numpy()
    scale = healthy.std(0) if standardise else 1.0
    apart = cdist(brain(9).vectors.double().numpy() / scale, healthy / scale)
    wanted = np.sort(apart, 1)[:, :3].mean(1)
    assert np.allclose(fitted(everything).score(brain(9)).numpy(), wanted, rtol=1e-5)


def test_the_bank_holds_healthy_vectors_and_covers_them():
    scorer = fitted(NeighboursSettings(bank=100, candidates=300, projection=0))
    assert scorer.bank.shape == (100, 3)
    healthy = torch.cat([scorer.standard(brain(volume).vectors) for volume in range(5)])
    assert float(torch.cdist(scorer.bank, healthy).amin(1).max()) < 1e-3
    chosen = float(scorer.score(brain(0)).max())
    drawn = healthy[torch.randperm(len(healthy), generator=torch.Generator().manual_seed(1))[:100]]
    assert chosen < float(torch.cdist(scorer.standard(brain(0).vectors), drawn).amin(1).max())


def test_fewer_vectors_than_the_bank_has_room_for_are_all_kept():
    scorer = fitted(NeighboursSettings(nearest=4096), volumes=1)
    assert len(scorer.bank) == COUNT
    assert torch.isfinite(scorer.score(brain(9))).all()


def test_the_bank_follows_from_the_seed_of_the_build():
    settings = NeighboursSettings(bank=20, candidates=60)
    one, two, other = (fitted(settings, seed=seed).bank for seed in (4, 4, 5))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_constant_channel_does_no_harm():
    still = [FeatureMap(brain(i).vectors * torch.tensor([1, 1, 0]), INSIDE) for i in range(3)]
    scorer = NeighboursScorer(NeighboursSettings())
    scorer.fit(still, silent)
    assert torch.isfinite(scorer.score(brain(9))).all()


def test_no_vector_has_no_score():
    empty = FeatureMap(torch.zeros(0, 3), torch.zeros_like(INSIDE))
    assert fitted(NeighboursSettings(bank=9, candidates=9)).score(empty).shape == (0,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bank": 0},
        {"nearest": 0},
        {"nearest": 9, "bank": 8},
        {"bank": 9, "candidates": 8},
        {"projection": -1},
        {"search": "x"},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        NeighboursSettings(**wrong)


def test_a_library_that_is_not_installed_is_missed_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ConfigError, match="not installed"):
        NeighboursScorer(NeighboursSettings(search="faiss"))
