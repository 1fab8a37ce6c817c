import numpy as np
import pytest
import torch
from sklearn.svm import OneClassSVM

from slicenet.scorers.machines import machines
from slicenet.scorers.search import ROWS


def drawn(count, seed):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)) * 2 + 1


SETS = [drawn(count, count) for count in (5, 60, 33)]


def peers(nu, gamma):
    return [OneClassSVM(nu=nu, gamma=gamma or "scale", tol=1e-8).fit(one.double()) for one in SETS]


@pytest.mark.parametrize(("nu", "gamma"), [(0.03, 0.0), (0.5, 0.0), (0.2, 0.7)])
def test_each_machine_decides_on_its_rows_as_that_of_scikit_learn(nu, gamma):
    found = machines(SETS, nu, gamma)
    query = drawn(ROWS + 40, 9)
    rows = torch.randint(3, (len(query),), generator=torch.Generator().manual_seed(1))
    every = np.stack([peer.decision_function(query.double()) for peer in peers(nu, gamma)])
    wanted = every[rows.numpy(), np.arange(len(rows))]
    assert np.allclose(found.decide_apart(query, rows).numpy(), wanted, atol=1e-4)
    assert int(found.count.sum()) == len(found.support)


def test_the_mean_machine_decides_as_all_do_on_average():
    query = drawn(50, 9)
    every = np.stack([peer.decision_function(query.double()) for peer in peers(0.1, 0.0)])
    found = machines(SETS, 0.1, 0.0).mean().decide(query)
    assert np.allclose(found.numpy(), every.mean(0), atol=1e-4)
