from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test

from slicenet.errors import ConfigError
from slicenet.metrics import evaluate
from slicenet.metrics.pairs import compare_pairs, sign_flip
from slicenet.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=200, bootstrap_bins=64)
THRESHOLDS = {"fpr0.01": 2.3}


def _worse(case, noise=2.0):
    generator = np.random.default_rng(sum(case.name.encode()))
    scores = case.scores + generator.normal(0, noise, case.scores.shape).astype(np.float32)
    return replace(case, scores=scores)


@pytest.fixture
def cases(make_case):
    return [make_case(seed, lesions=2 * int(seed < 6)) for seed in range(9)]


def test_up_to_sixteen_differences_every_sign_is_tried():
    differences = np.random.default_rng(0).normal(0.4, 1, 9)
    means = [np.dot(signs, differences) for signs in product((-1, 1), repeat=9)]
    expected = np.mean(np.abs(means) >= abs(differences.sum()) - 1e-12)
    assert sign_flip(differences, 0) == expected


def test_it_is_scipys_permutation_test_of_paired_samples():
    differences = np.random.default_rng(1).normal(0.5, 1, 10)
    found = permutation_test(
        (differences, np.zeros(10)), lambda one, two: np.mean(one - two),
        permutation_type="samples", n_resamples=np.inf,
    )  # fmt: skip
    assert sign_flip(differences, 0) == pytest.approx(found.pvalue)


def test_beyond_sixteen_the_drawn_signs_come_close_to_all_of_them():
    differences = np.random.default_rng(2).normal(0.35, 1, 18)
    bits = np.arange(2**18)[:, None] >> np.arange(18) & 1
    exact = np.mean(np.abs((2 * bits - 1) @ differences) >= differences.sum() - 1e-12)
    assert sign_flip(differences, 0) == pytest.approx(exact, abs=0.01)
    assert sign_flip(differences, 0) == sign_flip(differences, 0)
    assert sign_flip(differences, 0) != sign_flip(differences, 1)


def test_a_drawn_p_value_is_never_zero():
    assert sign_flip(np.ones(40), 0) == pytest.approx(1 / 10_001)


def test_no_difference_has_a_p_of_one():
    assert sign_flip(np.zeros(5), 0) == sign_flip(np.zeros(30), 0) == 1


def test_a_map_against_itself_differs_nowhere(cases):
    one = evaluate(cases, THRESHOLDS, SETTINGS)
    comparison = compare_pairs(one, one)
    assert {found.difference for found in comparison.differences} == {0}
    assert {found.p_value for found in comparison.differences} == {1}


def test_noise_makes_a_map_worse_beyond_luck(cases):
    good = evaluate(cases, THRESHOLDS, SETTINGS)
    poor = evaluate([_worse(case) for case in cases], THRESHOLDS, SETTINGS)
    found = {row.figure: row for row in compare_pairs(good, poor).differences}
    auroc = found["auroc"]
    assert auroc.subjects == 6
    assert auroc.difference == pytest.approx(good["auroc"] - poor["auroc"])
    assert 0 < auroc.low < auroc.difference < auroc.high
    assert auroc.p_value == pytest.approx(2 / 2**6)
    assert found["healthy_false_positive_ml@fpr0.01"].subjects == 3


def test_volumes_of_a_subject_count_once(cases):
    together = [replace(case, subject=f"s{i // 2}") for i, case in enumerate(cases[:6])]
    good = evaluate(together, THRESHOLDS, SETTINGS)
    poor = evaluate([_worse(case) for case in together], THRESHOLDS, SETTINGS)
    found = {row.figure: row for row in compare_pairs(good, poor).differences}
    assert found["auroc"].subjects == 3
    assert found["auroc"].p_value == pytest.approx(2 / 2**3)


def test_volumes_without_a_partner_are_named(cases):
    one = evaluate(cases[:5], THRESHOLDS, SETTINGS)
    two = evaluate(cases[2:], THRESHOLDS, SETTINGS)
    comparison = compare_pairs(one, two)
    assert comparison.only_first == ("case0", "case1")
    assert comparison.only_second == ("case5", "case6", "case7", "case8")


def test_a_single_subject_has_a_difference_but_no_interval(cases):
    one = evaluate(cases[:1], THRESHOLDS, SETTINGS)
    two = evaluate([_worse(cases[0])], THRESHOLDS, SETTINGS)
    found = compare_pairs(one, two).differences[0]
    assert found.low is found.high is None
    assert found.p_value == 1


def test_sides_without_a_common_volume_are_refused(cases):
    one, two = (evaluate(part, THRESHOLDS, SETTINGS) for part in (cases[:2], cases[4:6]))
    with pytest.raises(ConfigError) as raised:
        compare_pairs(one, two)
    assert raised.value.code == "E_PAIRS"


def test_rows_show_both_sides_and_mark_the_oracle(cases):
    good = evaluate(cases, THRESHOLDS, SETTINGS)
    comparison = compare_pairs(good, evaluate(map(_worse, cases), THRESHOLDS, SETTINGS))
    labels = [row.figure.strip() for row in comparison.rows()]
    assert labels[0] == "AUROC"
    assert "⌈Dice⌉ **oracle**" in labels
    assert "Dice at fpr0.01" in labels
    assert comparison.to_rows()[0]["figure"] == "auroc"
