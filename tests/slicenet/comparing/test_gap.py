from itertools import product

import numpy as np
import pytest
from scipy.stats import bootstrap

from slicenet.comparing.gap import FIGURES, gaps
from slicenet.comparing.standing import Standing


def means(standing):
    """Of each subject over seeds."""
    return np.mean([[case[FIGURES[0]] for case in one.cases] for one in standing.outcomes], 0)


def test_each_other_backend_is_paired_with_the_best(standings):
    found = gaps(standings)
    assert [gap.backend for gap in found] == ["simulated", "simulated", "histeq", "histeq"]
    assert {gap.best for gap in found} == {"zscore"}
    assert [gap.found.figure for gap in found] == [*FIGURES, *FIGURES]


def test_the_difference_is_that_of_subjects_with_scipys_interval(standings):
    differences = means(standings[2]) - means(standings[1])
    gap = gaps(standings)[0].found
    assert gap.difference == pytest.approx(differences.mean())
    expected = bootstrap(
        (differences,), np.mean, n_resamples=20_000, method="percentile", random_state=0
    ).confidence_interval
    assert (gap.low, gap.high) == pytest.approx(expected, abs=0.0015)


def test_the_p_value_is_that_of_all_signs(standings):
    differences = means(standings[2]) - means(standings[1])
    flipped = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=12)]
    expected = np.mean(np.array(flipped) >= abs(differences.sum()) - 1e-12)
    assert gaps(standings)[0].found.p_value == pytest.approx(expected)


def test_holm_counts_every_test_of_the_table(standings):
    found = gaps(standings)
    smallest = min(found, key=lambda gap: gap.found.p_value)
    assert smallest.holm == pytest.approx(min(1, 4 * smallest.found.p_value))
    assert all(gap.holm >= gap.found.p_value for gap in found)


def test_who_stands_alone_is_behind_nobody(standings):
    assert gaps([standings[1], standings[3]]) == []
    assert gaps([standings[3]]) == []


def test_a_figure_without_a_common_case_is_left_out(outcome):
    best, other = outcome([0.5, 0.6]), outcome([0.1, 0.2])
    for case in other.cases:
        case[FIGURES[1]] = None
    found = gaps([Standing("best", [best]), Standing("other", [other])])
    assert [gap.found.figure for gap in found] == [FIGURES[0]]
