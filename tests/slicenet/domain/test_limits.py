from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from slicenet.domain.limits import learn_limits
from slicenet.domain.measures import BOTH, HIGH, LOW, MEASURES

PLAIN = replace(MEASURES["cut"], side=BOTH, tolerance=1e-9)


def alarms(draw, count, measures, trials=60, tested=200):
    """The share of further subjects beyond the limits, over many cohorts of `count`."""
    random = np.random.default_rng(0)
    sides = np.array([measure.side for measure in measures])
    found = []
    for _ in range(trials):
        limits = learn_limits(draw(random, (count, len(measures))), measures)
        rows = draw(random, (tested, len(measures)))
        found.append((limits.distances(rows, sides).max(1) > limits.reach).mean())
    return float(np.mean(found))


def test_the_reach_is_that_of_a_t_prediction_shared_among_the_measures():
    # Evenly spread values, whose strangest lies well within the reach of the distribution.
    rows = np.stack([np.linspace(-1, 1, 41), np.linspace(1, -1, 41)], 1)
    limits = learn_limits(rows, [PLAIN, replace(PLAIN, side=HIGH)])
    wanted = stats.t.ppf(1 - 0.01 / 3, 40) * np.sqrt(1 + 1 / 41)  # three tails in all
    assert limits.reach == pytest.approx(wanted)
    assert np.allclose(limits.centre, 0)
    assert np.allclose(limits.deviation, rows.std(0, ddof=1))


def test_the_reach_holds_all_but_the_strangest_few_of_a_heavy_tail():
    rows = np.random.default_rng(3).standard_t(4, (100, 2))
    limits = learn_limits(rows, [PLAIN, PLAIN])
    sides = np.zeros(2)
    left_out = [
        learn_limits(np.delete(rows, one, 0), [PLAIN, PLAIN]).distances(rows[one], sides).max()
        for one in range(100)
    ]
    assert limits.reach == pytest.approx(np.sort(left_out)[98])  # ceil(101 * 0.975) from below
    by_model = stats.t.ppf(1 - 0.01 / 4, 99) * np.sqrt(1.01)
    assert by_model < limits.reach < 2 * by_model


@pytest.mark.parametrize("count", [20, 60])
@pytest.mark.parametrize("law", ["normal", "skewed", "heavy"])
def test_about_one_healthy_subject_in_twenty_is_flagged_at_most_under_each_law(count, law):
    draw = {
        "normal": lambda random, shape: random.normal(size=shape),
        "skewed": lambda random, shape: random.gamma(1.0, size=shape),
        "heavy": lambda random, shape: random.standard_t(4, shape),
    }[law]
    # By ranks 1 in 21 at most of 20 subjects; the rest is what finite draws may add.
    assert alarms(draw, count, [PLAIN] * 12) < 0.055


def test_a_bad_scan_in_the_cohort_makes_no_room_for_its_like():
    rows = np.random.default_rng(0).normal(size=(30, 5))
    rows[0, 2] = 60
    limits = learn_limits(rows, [PLAIN] * 5)
    assert limits.distances(rows[0], np.zeros(5))[2] > limits.reach
    assert limits.deviation[2] < 2


def test_only_the_side_that_counts_is_unlike():
    limits = learn_limits(np.random.default_rng(0).normal(size=(40, 3)), [PLAIN] * 3)
    high = limits.distances(limits.centre + 50 * limits.deviation, np.array([LOW, BOTH, HIGH]))
    assert np.allclose(high, (-50, 50, 50))


def test_a_cohort_all_alike_tolerates_what_the_measure_tolerates():
    measure = MEASURES["voxel"]
    limits = learn_limits(np.full((30, 1), np.log(2.0)), [measure])
    assert limits.deviation[0] == measure.tolerance
    assert 2.5 < np.exp(limits.centre[0] + limits.reach * measure.tolerance) < 3
