from functools import reduce

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from slicenet.metrics.pooled import FIGURES, pooled_estimates
from slicenet.metrics.ranking import rank
from slicenet.metrics.resamples import Estimate, resample
from slicenet.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=200)
NAMES = tuple(FIGURES)


@pytest.fixture
def volumes():
    generator = np.random.default_rng(0)
    truths = [generator.random(400) < 0.1 for _ in range(9)]
    return [(generator.normal(size=400).astype(np.float32) + truth, truth) for truth in truths]


def _estimates(volumes, bins, bootstrap_bins, resamples):
    parts = [rank(scores, truth).histogram() for scores, truth in volumes]
    total = reduce(lambda one, two: one.plus(two, bins), parts)
    coarse = [part.within(bootstrap_bins) for part in parts]
    everyone = np.ones(len(volumes), bool)
    return pooled_estimates(NAMES, total, coarse, bootstrap_bins, resamples, everyone)


@pytest.fixture
def resamples(volumes):
    return resample([f"s{i}" for i in range(9)], [True] * 9, SETTINGS)


def test_figures_are_those_of_all_voxels_together(volumes, resamples):
    found = _estimates(volumes, 2**20, 64, resamples)
    scores, truth = (np.concatenate(side) for side in zip(*volumes, strict=True))
    assert found["auroc"][0].value == pytest.approx(roc_auc_score(truth, scores))
    expected = average_precision_score(truth, scores)
    assert found["average_precision"][0].value == pytest.approx(expected)
    assert {error for _, error in found.values()} == {0}


def test_few_bins_are_honest_about_their_error(volumes, resamples):
    exact, rough = (_estimates(volumes, bins, 64, resamples) for bins in (2**20, 100))
    for name in NAMES:
        distance = abs(exact[name][0].value - rough[name][0].value)
        assert 0 < distance <= rough[name][1] + 1e-12 < 0.1


def test_intervals_are_those_of_resampling_the_voxels_themselves(volumes, resamples):
    found = _estimates(volumes, 2**20, 2**20, resamples)
    samples = {"auroc": [], "average_precision": []}
    for weights in resamples.weights.astype(int):
        drawn = [volume for volume, times in zip(volumes, weights, strict=True)
                 for _ in range(times)]  # fmt: skip
        scores, truth = (np.concatenate(side) for side in zip(*drawn, strict=True))
        samples["auroc"].append(roc_auc_score(truth, scores))
        samples["average_precision"].append(average_precision_score(truth, scores))
    for name, values in samples.items():
        low, high = np.quantile(values, (0.025, 0.975))
        assert found[name][0].low == pytest.approx(low, abs=1e-9)
        assert found[name][0].high == pytest.approx(high, abs=1e-9)


def test_coarse_intervals_are_close_to_fine_ones(volumes, resamples):
    fine, coarse = (_estimates(volumes, 2**20, bins, resamples) for bins in (2**20, 256))
    for name in NAMES:
        assert coarse[name][0].low == pytest.approx(fine[name][0].low, abs=0.01)
        assert coarse[name][0].high == pytest.approx(fine[name][0].high, abs=0.01)


def test_without_lesion_nothing_exists(volumes, resamples):
    healthy = [(scores, np.zeros_like(truth)) for scores, truth in volumes]
    found = _estimates(healthy, 2**20, 64, resamples)
    assert all(result == (Estimate(), None) for result in found.values())
