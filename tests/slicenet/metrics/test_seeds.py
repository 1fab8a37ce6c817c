from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from slicenet.metrics import EvaluationSettings, evaluate
from slicenet.metrics.resamples import Estimate, resample
from slicenet.metrics.seeds import between, over_seeds, spread_over_seeds

SETTINGS = EvaluationSettings(resamples=150)
THRESHOLDS = {"fpr0.01": 2.3}
SEEDS = 3


@pytest.fixture
def trainings(make_case):
    """Maps of the same twelve volumes from three trainings; two volumes a subject."""
    cases = [make_case(i, lesions=2 * int(i < 8), subject=f"s{i // 2}") for i in range(12)]
    found = []
    for seed in range(SEEDS):
        noise = np.random.default_rng(seed)
        noisy = [
            replace(
                case,
                scores=(case.scores + noise.normal(0, 1, case.scores.shape)).astype(np.float32),
                volume_score=case.volume_score + noise.normal(0, 0.5),
            )
            for case in cases
        ]
        found.append(evaluate(noisy, THRESHOLDS, SETTINGS))
    return found


def estimates(trainings, key):
    return [
        next(figure.estimate for figure in one.figures if figure.key == key) for one in trainings
    ]


def weights(trainings):
    cases = trainings[0].cases
    lesioned = [case.lesioned for case in cases]
    return resample([case.subject for case in cases], lesioned, SETTINGS).weights


@pytest.mark.parametrize("key", ["average_precision", "dice@fpr0.01"])
def test_a_mean_over_seeds_of_each_volume_is_what_is_resampled(trainings, key):
    of_cases = np.array(
        [np.mean([one.cases[i].values[key] for one in trainings]) for i in range(8)]
    )
    drawn = weights(trainings)[:, :8]
    low, high = np.quantile(drawn @ of_cases / drawn.sum(1), (0.025, 0.975))
    found = over_seeds(estimates(trainings, key), 0.95)
    assert found.value == pytest.approx(of_cases.mean())
    assert (found.low, found.high) == pytest.approx((low, high))


def test_the_volume_auroc_is_that_of_each_seed_on_the_same_subjects(trainings):
    ill = [case.lesioned for case in trainings[0].cases]
    scores = [[case.volume_score for case in one.cases] for one in trainings]
    expected = [
        np.mean([roc_auc_score(ill, each, sample_weight=row) for each in scores])
        for row in weights(trainings)
    ]
    found = over_seeds(estimates(trainings, "volume_auroc"), 0.95)
    assert found.value == pytest.approx(np.mean([roc_auc_score(ill, each) for each in scores]))
    assert (found.low, found.high) == pytest.approx(np.quantile(expected, (0.025, 0.975)))


def test_seeds_do_not_narrow_an_interval_as_subjects_would(trainings):
    one = estimates(trainings, "auroc")[0]
    many = over_seeds([one] * 9, 0.95)
    assert (many.value, many.low, many.high) == pytest.approx((one.value, one.low, one.high))


def test_the_spread_is_that_of_the_seeds(trainings):
    found = estimates(trainings, "auroc")
    values = [one.value for one in found]
    assert spread_over_seeds(found) == pytest.approx(np.std(values, ddof=1))
    assert spread_over_seeds(found[:1]) is None


def test_what_one_seed_lacks_does_not_exist():
    samples = np.array([0.1, 0.2])
    assert over_seeds([Estimate(0.1, 0.0, 1.0, samples), Estimate()], 0.95) == Estimate()
    assert over_seeds([Estimate(0.1, 0.0, 1.0, samples), Estimate(0.3)], 0.95).low is None
    assert spread_over_seeds([Estimate(0.1), Estimate(0.2), Estimate()]) is None


def test_a_difference_of_volume_aurocs_is_of_the_same_subjects(trainings):
    ill = [case.lesioned for case in trainings[0].cases]
    scores = [[case.volume_score for case in one.cases] for one in trainings]
    expected = [
        roc_auc_score(ill, scores[0], sample_weight=row)
        - roc_auc_score(ill, scores[1], sample_weight=row)
        for row in weights(trainings)
    ]
    first, second, _ = estimates(trainings, "volume_auroc")
    found = between(first, second, 0.95)
    assert found.value == pytest.approx(first.value - second.value)
    assert (found.low, found.high) == pytest.approx(np.quantile(expected, (0.025, 0.975)))


def test_a_difference_to_what_does_not_exist_does_not_exist():
    known = Estimate(0.5, 0.0, 1.0, np.array([0.1, 0.2]))
    assert between(known, Estimate(), 0.95) == Estimate()
    assert between(known, Estimate(0.25), 0.95) == Estimate(0.25)
