from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from slicenet.metrics.detection import pooled_figures, slice_figures, volume_figures
from slicenet.metrics.resamples import resample
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import summarise

SETTINGS = EvaluationSettings(resamples=50, bootstrap_bins=64)


@pytest.fixture
def cases(make_case):
    return [make_case(seed, lesions=2 * (seed % 2), signal=1.0, levels=5) for seed in range(8)]


def _judge(cases, figures):
    summaries = [summarise(case, {}, SETTINGS)[0] for case in cases]
    subjects = [case.subject for case in summaries]
    resamples = resample(subjects, [case.lesioned for case in summaries], SETTINGS)
    found = figures(summaries, resamples, SETTINGS)
    return {figure.key: figure for figure in found}


def test_volume_figures_are_those_of_scikit_learn(cases):
    figures = _judge(cases, volume_figures)
    ill = [case.lesioned for case in cases]
    scores = [case.volume_score for case in cases]
    assert figures["volume_auroc"].estimate.value == pytest.approx(roc_auc_score(ill, scores))
    precision = figures["volume_average_precision"].estimate
    assert precision.value == pytest.approx(average_precision_score(ill, scores))
    assert precision.low <= precision.value <= precision.high
    assert figures["volume_auroc"].count == 8


def test_volume_scores_that_differ_beyond_single_precision_are_told_apart(make_case):
    cases = [
        replace(make_case(seed, lesions=seed % 2), volume_score=1 + seed % 2 * 1e-12)
        for seed in range(4)
    ]
    assert _judge(cases, volume_figures)["volume_auroc"].estimate.value == 1


@pytest.mark.parametrize("lesions", [0, 2])
def test_with_one_kind_of_volume_there_is_no_volume_figure(make_case, lesions):
    figures = _judge([make_case(s, lesions) for s in range(3)], volume_figures)
    assert {figure.estimate.value for figure in figures.values()} == {None}


def test_a_single_healthy_volume_gives_a_figure_without_an_interval(make_case):
    cases = [make_case(seed, lesions=int(seed > 0)) for seed in range(5)]
    estimate = _judge(cases, volume_figures)["volume_auroc"].estimate
    assert estimate.value is not None
    assert estimate.low is None


def test_slice_figures_are_those_of_all_slices_with_brain(cases):
    figures = _judge(cases, slice_figures)
    scores, labels = [], []
    for case in cases:
        for z in np.flatnonzero(case.brain.any((0, 1))):
            scores.append(case.scores[:, :, z][case.brain[:, :, z]].max())
            labels.append((case.truth & case.brain)[:, :, z].any())
    assert figures["slice_auroc"].estimate.value == pytest.approx(roc_auc_score(labels, scores))
    precision = figures["slice_average_precision"].estimate.value
    assert precision == pytest.approx(average_precision_score(labels, scores))
    assert figures["slice_auroc"].count == len(scores)


def test_agreement_of_slices_and_volumes_is_scipys_spearman(cases):
    generator = np.random.default_rng(0)
    cases = [replace(c, volume_score=c.volume_score + generator.normal()) for c in cases]
    found = _judge(cases, slice_figures)["slice_volume_spearman"].estimate
    highest = [case.scores[case.brain].max() for case in cases]
    expected = spearmanr(highest, [case.volume_score for case in cases]).statistic
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_two_volumes_have_no_agreement_worth_telling(cases):
    found = _judge(cases[:2], slice_figures)["slice_volume_spearman"]
    assert found.estimate.value is None


def test_pooled_voxels_include_those_of_healthy_brains(cases):
    summaries, fine = zip(*(summarise(case, {}, SETTINGS) for case in cases), strict=True)
    total = reduce(lambda one, two: one.plus(two, SETTINGS.bins), fine)
    resamples = resample([c.name for c in summaries], [c.lesioned for c in summaries], SETTINGS)
    found = {f.key: f for f in pooled_figures(summaries, total, resamples, SETTINGS)}
    truth = np.concatenate([(case.truth & case.brain)[case.brain] for case in cases])
    scores = np.concatenate([case.scores[case.brain] for case in cases])
    expected = average_precision_score(truth, scores)
    assert found["pooled_average_precision"].estimate.value == pytest.approx(expected)
    assert found["pooled_auroc"].estimate.value == pytest.approx(roc_auc_score(truth, scores))
