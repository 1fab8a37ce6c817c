from itertools import combinations

import numpy as np
import pytest

from slicenet.metrics.multiplicity import holm


def closed(p_values):
    """A test holds if every group of tests with it in holds by Bonferroni: Holm's definition."""
    count = len(p_values)
    groups = [set(g) for size in range(1, count + 1) for g in combinations(range(count), size)]
    return [
        max(
            min(1, len(group) * min(p_values[i] for i in group)) for group in groups if one in group
        )
        for one in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_closed_procedure_of_bonferroni(seed):
    p_values = np.random.default_rng(seed).beta(0.4, 2, 7).tolist()
    assert holm(p_values) == pytest.approx(closed(p_values))


def test_ties_share_a_value_and_nothing_exceeds_one():
    assert holm([0.02, 0.02, 0.9]) == pytest.approx([0.06, 0.06, 0.9])
    assert holm([0.8, 0.7]) == [1, 1]
    assert holm([]) == []
