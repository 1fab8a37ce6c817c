import numpy as np
import pytest
import torch
from sklearn.neighbors import LocalOutlierFactor

from slicenet.scorers.densities import densities, density, factors

COUNTS = (30, 12, 5, 2)


def ragged(seed=0):
    """Sets of several sizes, what exists of each scattered among what does not."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(len(COUNTS), 30, 4, generator=generator)
    order = torch.rand(len(COUNTS), 30, generator=generator).argsort(1)
    return vectors, order < torch.tensor(COUNTS)[:, None]


def peer(own, nearest):
    known = LocalOutlierFactor(n_neighbors=min(nearest, len(own) - 1), novelty=True)
    return known.fit(own.double().numpy())


@pytest.mark.parametrize("nearest", [1, 4, 20])
def test_the_factor_by_each_set_is_that_of_scikit_learn(nearest):
    vectors, exist = ragged()
    reach, dense = densities(vectors, exist, nearest)
    for shift in (0.0, 3.0):
        query = torch.randn(4, 4, generator=torch.Generator().manual_seed(5)) + shift
        found = factors(query, vectors, exist, reach, dense, nearest)
        for own, known, one, score in zip(vectors, exist, query, found, strict=True):
            wanted = -peer(own[known], nearest).score_samples(one[None].double().numpy())
            assert score.item() == pytest.approx(wanted[0], rel=1e-4)


def test_densities_are_those_of_scikit_learn_and_0_for_what_does_not_exist():
    vectors, exist = ragged()
    reach, dense = densities(vectors, exist, 4)
    assert (reach[~exist] == 0).all()
    assert (dense[~exist] == 0).all()
    for own, known, ours in zip(vectors, exist, dense, strict=True):
        assert np.allclose(ours[known].numpy(), peer(own[known], 4)._lrd, rtol=1e-4)


def test_twins_have_a_density():
    same = torch.ones(1, 9, 3)
    exist = torch.ones(1, 9, dtype=torch.bool)
    reach, dense = densities(same, exist, 4)
    assert torch.isfinite(factors(same[:, 0], same, exist, reach, dense, 4)).all()
    assert torch.isfinite(density(torch.zeros(2, 3), torch.zeros(2, 3))).all()
