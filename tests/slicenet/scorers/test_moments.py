import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis as scipy_mahalanobis

from slicenet.scorers.moments import Moments, mahalanobis


def hostile(count, channels, seed):
    """Values whose squares lose everything in double precision: mean 1e6, deviation 1e-2."""
    return 1e6 + 1e-2 * np.random.default_rng(seed).standard_normal((count, channels))


def exact(vectors):
    """Mean and scatter with the offset taken off first, as pen and paper would."""
    shifted = vectors - 1e6
    mean = shifted.mean(0)
    centred = shifted - mean
    return mean + 1e6, centred.T @ centred


def test_two_fits_merge_into_the_fit_over_both_even_on_hostile_data():
    parts = hostile(700, 5, 0), hostile(40, 5, 1)
    merged = Moments.of(torch.from_numpy(parts[0])).merge(Moments.of(torch.from_numpy(parts[1])))
    mean, scatter = exact(np.concatenate(parts))
    assert merged.count.item() == 740
    assert np.abs(merged.mean[0].numpy() - mean).max() < 1e-8
    assert np.allclose(merged.scatter[0].numpy(), scatter, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("summed", [False, True])
def test_one_vector_at_a_time_equals_numpy_at_every_place(summed):
    data = hostile(30, 3, 2)  # 30 subjects, place 1 misses the first ten
    moments = Moments.empty(2, torch.zeros(1, 3), summed)
    for index, vector in enumerate(torch.from_numpy(data)):
        places = torch.tensor([0, 1] if index >= 10 else [0])
        moments.add(vector.expand(len(places), 3), places)
    whole, part = exact(data), exact(data[10:])
    assert moments.count.tolist() == [30, 20]
    assert np.abs(moments.mean.numpy() - np.stack([whole[0], part[0]])).max() < 1e-8
    scatters = np.stack([whole[1], part[1]])
    wanted = scatters.sum(0, keepdims=True) if summed else scatters
    assert np.allclose(moments.scatter.numpy(), wanted, rtol=1e-5, atol=1e-8)


def test_no_more_than_some_places_are_held_twice_at_a_time(monkeypatch):
    sizes = []
    outer = Moments._outer

    def seen(moments, delta, weight):
        sizes.append(len(delta))
        return outer(moments, delta, weight)

    monkeypatch.setattr(Moments, "_outer", seen)
    Moments.empty(5000, torch.zeros(1, 3), False).add(torch.randn(5000, 3), torch.arange(5000))
    assert sizes == [2048, 2048, 904]


@pytest.mark.parametrize("summed", [False, True])
def test_merging_by_place_equals_adding_all(summed):
    rng = np.random.default_rng(3)
    data = torch.from_numpy(rng.standard_normal((12, 4, 3)))  # 12 subjects, 4 places
    seen = torch.from_numpy(rng.random((12, 4)) > 0.3)
    parts = [Moments.empty(4, data[0], summed) for _ in range(3)]
    for index in range(12):
        places = seen[index].nonzero()[:, 0]
        for part in (parts[index // 6], parts[2]):
            part.add(data[index, places], places)
    merged = parts[0].merge(parts[1])
    for name in ("count", "mean", "scatter"):
        assert torch.allclose(getattr(merged, name), getattr(parts[2], name), atol=1e-12)


def test_pooling_forgets_the_places():
    data = torch.from_numpy(np.random.default_rng(4).standard_normal((10, 2, 3)))
    moments = Moments.empty(2, data[0], summed=True)
    for vectors in data:
        moments.add(vectors, torch.tensor([0, 1]))
    pooled = moments.pooled()
    everything = data.reshape(-1, 3).numpy()
    assert np.allclose(pooled.mean[0], everything.mean(0))
    assert np.allclose(pooled.within(), np.cov(everything.T))
    inner = [np.cov(data[:, place].numpy().T) for place in range(2)]
    assert np.allclose(moments.within(), np.mean(inner, 0))


def test_a_place_that_neither_has_seen_stays_empty():
    empty = Moments.empty(3, torch.zeros(1, 2), summed=False)
    assert torch.equal(empty.merge(empty).mean, torch.zeros(3, 2, dtype=torch.float64))


@pytest.mark.parametrize("shared", [True, False])
def test_distances_are_those_of_scipy(shared):
    rng = np.random.default_rng(5)
    centred = rng.standard_normal((9, 4))
    covariances = np.stack(
        [np.cov(rng.standard_normal((4, 20))) for _ in range(1 if shared else 9)]
    )
    factors = torch.linalg.cholesky(torch.from_numpy(covariances))
    found = mahalanobis(torch.from_numpy(centred), factors)
    for index in range(9):
        inverse = np.linalg.inv(covariances[0 if shared else index])
        assert found[index].item() == pytest.approx(
            scipy_mahalanobis(centred[index], 0 * centred[0], inverse)
        )
