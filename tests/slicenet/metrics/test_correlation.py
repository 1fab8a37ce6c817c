import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from slicenet.metrics.correlation import spearman

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30).filter(
    lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
)


@given(PAIRS)
def test_it_is_scipys_coefficient_with_ties(pairs):
    one, two = (np.array(side, float) for side in zip(*pairs, strict=True))
    found = spearman(one, two, np.ones((1, len(one))))
    assert found[0] == pytest.approx(spearmanr(one, two).statistic, abs=1e-9)


def test_a_weight_is_how_often_the_pair_occurs():
    generator = np.random.default_rng(0)
    one, two = generator.normal(size=(2, 20)) + generator.normal(size=20)
    weights = generator.integers(0, 4, (150, 20)).astype(float)
    found = spearman(one, two, weights)
    for row in (0, 77, 149):
        times = weights[row].astype(int)
        expected = spearmanr(np.repeat(one, times), np.repeat(two, times)).statistic
        assert found[row] == pytest.approx(expected)


def test_against_a_constant_there_is_no_correlation():
    found = spearman(np.ones(5), np.arange(5.0), np.ones((2, 5)))
    assert np.isnan(found).all()
