import importlib.util
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from slicenet.errors import ConfigError
from slicenet.scorers.search import ROWS, check_installed, check_search, nearest, squares


def cloud(count, channels=16, seed=0):
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed))


def truth(vectors, bank, count):
    neighbours = NearestNeighbors(n_neighbors=count, algorithm="kd_tree")
    return neighbours.fit(bank.double().numpy()).kneighbors(vectors.double().numpy())


@pytest.mark.parametrize("count", [1, 5])
def test_the_nearest_are_those_of_scikit_learn_in_more_than_one_batch(count):
    vectors, bank = cloud(ROWS + 40, seed=1), cloud(300, seed=2)
    distances, rows = nearest(vectors, bank, count)
    wanted, places = truth(vectors, bank, count)
    assert np.allclose(distances.numpy(), wanted, rtol=1e-6)
    assert (rows.numpy() == places).all()


def test_a_vector_of_the_bank_lies_at_no_distance_from_itself():
    bank = cloud(400, channels=512) * 30
    distances, rows = nearest(bank, bank, 2)
    assert (distances[:, 0] == 0).all()
    assert torch.equal(rows[:, 0], torch.arange(400))
    assert np.allclose(distances[:, 1].numpy(), truth(bank, bank, 2)[0][:, 1], rtol=1e-6)


def test_twins_are_close_and_no_square_is_negative():
    bank = cloud(100, channels=512) * 30
    twins = bank + 1e-3
    assert (squares(twins, bank) >= 0).all()
    found, _ = nearest(twins, bank, 1)
    assert np.allclose(found.numpy()[:, 0], 1e-3 * 512**0.5, rtol=0.02)


def test_squares_are_those_of_all_pairs():
    vectors, bank = cloud(20, seed=1), cloud(30, seed=2)
    assert np.allclose(squares(vectors, bank).numpy(), cdist(vectors, bank) ** 2, rtol=1e-4)


def test_faiss_finds_the_same():
    pytest.importorskip("faiss", reason="an option of its own", exc_type=ImportError)
    vectors, bank = cloud(200, seed=1), cloud(300, seed=2)
    for one, two in zip(nearest(vectors, bank, 3), nearest(vectors, bank, 3, "faiss"), strict=True):
        assert torch.equal(one, two)


def test_faiss_is_asked_for_by_name_where_it_is_absent(monkeypatch):
    check_installed("exact")
    monkeypatch.setitem(sys.modules, "faiss", None)  # as if it were not there
    with pytest.raises(ConfigError, match="pip install faiss-cpu"):
        check_installed("faiss")
    monkeypatch.undo()
    if importlib.util.find_spec("faiss"):
        check_installed("faiss")


def test_an_unknown_search_is_refused():
    check_search("exact")
    with pytest.raises(ConfigError, match="have exact, faiss"):
        check_search("hnsw")
