from dataclasses import replace

import numpy as np
import pytest

from slicenet.metrics.resamples import Estimate, resample
from slicenet.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=4000)


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]


def _estimate(values, subjects, settings=SETTINGS) -> Estimate:
    parts = np.stack([values, np.ones(len(values))], 1)
    resamples = resample(subjects, [True] * len(values), settings)
    return resamples.estimate(parts, _mean, np.ones(len(values), bool))


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide():
    values = np.random.default_rng(0).normal(5, 2, 200)
    found = _estimate(values, [f"s{i}" for i in range(200)])
    error = values.std() / np.sqrt(200)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_volumes_of_one_subject_come_and_go_together():
    resamples = resample(["a", "b", "a", "c"], [True] * 4, SETTINGS)
    assert np.array_equal(resamples.weights[:, 0], resamples.weights[:, 2])
    assert not np.array_equal(resamples.weights[:, 0], resamples.weights[:, 1])
    assert ((resamples.weights[:, [0, 1, 3]]).sum(1) == 3).all()


def test_many_volumes_of_few_subjects_do_not_make_an_interval_narrow():
    generator = np.random.default_rng(1)
    people = generator.normal(size=8)
    values = np.repeat(people, 50)
    honest = _estimate(values, [f"s{i // 50}" for i in range(400)])
    naive = _estimate(values, [f"s{i}" for i in range(400)])
    assert honest.high - honest.low > 4 * (naive.high - naive.low)


def test_every_sample_has_as_many_of_both_kinds():
    lesioned = [True, True, False, False, False]
    weights = resample(list("abcde"), lesioned, SETTINGS).weights
    assert (weights[:, :2].sum(1) == 2).all()
    assert (weights[:, 2:].sum(1) == 3).all()


def test_the_seed_decides_and_nothing_else():
    subjects, lesioned = list("abcdef"), [True, False] * 3
    one = resample(subjects, lesioned, SETTINGS).weights
    assert np.array_equal(one, resample(subjects, lesioned, SETTINGS).weights)
    other = resample(subjects, lesioned, replace(SETTINGS, seed=1)).weights
    assert not np.array_equal(one, other)
    turned = resample(subjects[::-1], lesioned[::-1], SETTINGS).weights
    assert np.array_equal(one, turned[:, ::-1])


@pytest.mark.parametrize("subjects", [["a"], ["a", "a", "a"]])
def test_one_subject_has_a_figure_but_no_interval(subjects):
    found = _estimate(np.arange(len(subjects), dtype=float), subjects)
    assert found == Estimate(np.mean(np.arange(len(subjects))), None, None)


def test_a_figure_that_does_not_exist_is_none():
    resamples = resample(["a", "b"], [True, True], SETTINGS)
    nothing = resamples.estimate(
        np.zeros((2, 2)), lambda sums: np.full(len(sums), np.nan), np.ones(2, bool)
    )
    assert nothing == Estimate(None, None, None)


def test_samples_without_the_figure_do_not_spoil_the_interval():
    resamples = resample(["a", "b"], [True, True], EvaluationSettings(resamples=3))
    found = resamples.around(2.0, np.array([1.0, np.nan, 3.0]), np.ones(2, bool))
    assert found.low == pytest.approx(1.05)
    assert found.high == pytest.approx(2.95)
