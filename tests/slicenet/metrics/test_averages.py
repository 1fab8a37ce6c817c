import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from slicenet.metrics.averages import lesion_figures, mean_figures, pooled_overlap_figures
from slicenet.metrics.resamples import resample
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import summarise

SETTINGS = EvaluationSettings(resamples=50, bootstrap_bins=64, strata_ml=(0.06,))
THRESHOLDS = {"fpr0.05": 1.6, "none": 99.0}


@pytest.fixture
def cases(make_case):
    return [make_case(seed, lesions=seed % 3) for seed in range(7)]


@pytest.fixture
def summaries(cases):
    return [summarise(case, THRESHOLDS, SETTINGS)[0] for case in cases]


@pytest.fixture
def resamples(summaries):
    subjects = [case.subject for case in summaries]
    return resample(subjects, [case.lesioned for case in summaries], SETTINGS)


def _by_key(figures):
    return {figure.key: figure for figure in figures}


def test_means_are_over_lesioned_or_over_healthy_volumes(summaries, resamples):
    figures = _by_key(mean_figures(summaries, resamples, tuple(THRESHOLDS)))
    ill = [case for case in summaries if case.lesioned]
    well = [case for case in summaries if not case.lesioned]
    for key, group in (("auroc", ill), ("hd95@fpr0.05", ill),
                       ("healthy_components@fpr0.05", well)):  # fmt: skip
        values = [case.values[key] for case in group]
        figure = figures[key]
        assert figure.estimate.value == pytest.approx(np.mean(values))
        assert min(values) <= figure.estimate.low <= figure.estimate.high <= max(values)
        assert figure.count == len(group)


def test_volumes_where_nothing_is_predicted_stay_in_the_mean_distance(summaries, resamples):
    figures = _by_key(mean_figures(summaries, resamples, tuple(THRESHOLDS)))
    lesioned = sum(case.lesioned for case in summaries)
    assert figures["hd95@none"].count == lesioned
    assert figures["hd95@none"].estimate.value > 30
    assert figures["nothing_predicted@none"].estimate.value == 1


def test_pooled_overlap_is_that_of_all_voxels_of_all_brains(cases, summaries, resamples):
    figures = _by_key(pooled_overlap_figures(summaries, resamples, ("fpr0.05",)))
    truth = np.concatenate([case.truth[case.brain] for case in cases])
    guess = np.concatenate([case.scores[case.brain] for case in cases]) > 1.6
    expected = {
        "pooled_dice": f1_score(truth, guess),
        "pooled_precision": precision_score(truth, guess),
        "pooled_recall": recall_score(truth, guess),
    }
    for name, value in expected.items():
        figure = figures[f"{name}@fpr0.05"]
        assert figure.estimate.value == pytest.approx(value)
        assert figure.count == len(cases)


def test_lesions_are_counted_over_lesioned_volumes_only(summaries, resamples):
    figures = _by_key(lesion_figures(summaries, resamples, ("fpr0.05",), SETTINGS))
    tables = [case.lesions["fpr0.05"].table() for case in summaries if case.lesioned]
    lesions, found, predicted, right = np.sum(tables, 0).sum(-1)
    sensitivity, ppv = found / lesions, right / predicted
    values = {name: figures[f"lesion_{name}@fpr0.05"] for name in ("sensitivity", "ppv", "f1")}
    assert values["sensitivity"].estimate.value == pytest.approx(sensitivity)
    assert values["ppv"].estimate.value == pytest.approx(ppv)
    harmonic = 2 / (1 / sensitivity + 1 / ppv)
    assert values["f1"].estimate.value == pytest.approx(harmonic)
    assert (values["sensitivity"].count, values["ppv"].count) == (lesions, predicted)


def test_strata_add_up_to_all_lesions(summaries, resamples):
    figures = _by_key(lesion_figures(summaries, resamples, ("fpr0.05",), SETTINGS))
    whole = figures["lesion_sensitivity@fpr0.05"]
    parts = [figures[f"lesion_sensitivity[{name}]@fpr0.05"] for name in SETTINGS.strata]
    assert sum(part.count for part in parts) == whole.count
    found = sum(part.count * (part.estimate.value or 0) for part in parts)
    assert found == pytest.approx(whole.count * whole.estimate.value)


def test_finding_nothing_has_an_f1_of_zero_and_no_ppv(summaries, resamples):
    figures = _by_key(lesion_figures(summaries, resamples, ("none",), SETTINGS))
    assert figures["lesion_f1@none"].estimate.value == 0
    assert figures["lesion_ppv@none"].estimate.value is None


def test_without_lesions_nothing_about_lesions_exists(summaries):
    healthy = [case for case in summaries if not case.lesioned]
    resamples = resample([case.name for case in healthy], [False] * len(healthy), SETTINGS)
    figures = [
        *pooled_overlap_figures(healthy, resamples, ("fpr0.05",)),
        *lesion_figures(healthy, resamples, ("fpr0.05",), SETTINGS),
    ]
    assert {figure.estimate.value for figure in figures} == {None}
