import numpy as np
import pytest

from slicenet.comparing.standing import Standing, ordered, ranked
from slicenet.leaderboard import COLUMNS


def test_a_figure_is_the_mean_over_seeds_with_their_spread_beside_it(standings):
    zscore = standings[1]
    means = [np.mean([case["auroc"] for case in one.cases]) for one in zscore.outcomes]
    row = next(row for row in zscore.line().evaluation["figures"] if row["figure"] == "auroc")
    assert row["value"] == pytest.approx(np.mean(means))
    assert row["spread"] == pytest.approx(np.std(means, ddof=1))
    assert row["low"] < row["value"] < row["high"]


def test_cases_are_averaged_over_seeds(standings):
    zscore = standings[1]
    by_hand = np.mean([[case["auroc"] for case in one.cases] for one in zscore.outcomes], 0)
    found = zscore.by_case("auroc")
    assert list(found) == [f"s{index:02d}" for index in range(12)]
    assert [value for _, value in found.values()] == pytest.approx(by_hand)


def test_a_case_that_one_seed_lacks_takes_no_part(outcome):
    lacking = outcome([0.1, 0.2])
    lacking.cases[1]["auroc"] = None
    assert list(Standing("a", [outcome([0.1, 0.2]), lacking]).by_case("auroc")) == ["s00"]


def test_a_figure_that_one_seed_lacks_does_not_exist(outcome):
    lacking = outcome([0.1, 0.2])
    del lacking.estimates["auroc"]
    assert Standing("a", [outcome([0.1, 0.2]), lacking]).figure("auroc").value is None


def test_costs_are_means_of_time_and_the_highest_of_memory(standings):
    cost = standings[1].cost
    assert (cost.train_seconds, cost.cached_seconds) == (11, 2)
    assert (cost.score_seconds, cost.peak_gb, cost.gpu_gb) == (0.5, 1.25, None)


def test_the_best_stands_first_and_who_failed_last(standings):
    names = [one.backend for one in ordered(standings)]
    assert names == ["zscore", "simulated", "histeq", "broken"]
    assert [one.backend for one in ranked(standings)] == names[:3]
    failed = standings[3]
    assert failed.quality is None
    assert failed.line().failure == "E_MEMORY"


def test_every_column_has_a_figure(standings):
    figures = [row["figure"] for row in standings[0].line().evaluation["figures"]]
    assert figures == list(COLUMNS)
