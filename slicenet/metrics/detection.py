"""Telling lesioned volumes and slices from healthy ones."""

from collections.abc import Sequence

import numpy as np

from slicenet.metrics.correlation import spearman
from slicenet.metrics.figures import Figure
from slicenet.metrics.histogram import Histogram
from slicenet.metrics.pooled import pooled_estimates
from slicenet.metrics.resamples import Estimate, Resamples
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import CaseSummary

FIGURES = ("auroc", "average_precision")
FEWEST_PAIRS = 3  # with two, any correlation is -1 or 1


def pooled_figures(
    cases: Sequence[CaseSummary],
    total: Histogram,
    resamples: Resamples,
    settings: EvaluationSettings,
) -> list[Figure]:
    """The voxels of all volumes together, from the histogram `total`."""
    lesioned = np.array([case.lesioned for case in cases])
    estimates = pooled_estimates(
        (*FIGURES, "auroc30", "oracle_dice"), total, [case.histogram for case in cases],
        settings.bootstrap_bins, resamples, lesioned,
    )  # fmt: skip
    return [
        Figure(f"pooled_{name}", estimate, len(cases), error=error)
        for name, (estimate, error) in estimates.items()
    ]


def volume_figures(
    cases: Sequence[CaseSummary], resamples: Resamples, settings: EvaluationSettings
) -> list[Figure]:
    """Lesioned against healthy volumes, by the detector's own volume score."""
    lesioned = np.array([case.lesioned for case in cases])
    # Ranks stand for the scores, whose float64 would not fit into the bits of a key.
    _, ranks = np.unique([case.volume_score for case in cases], return_inverse=True)
    parts = [_one(int(rank), bool(ill)) for rank, ill in zip(ranks, lesioned, strict=True)]
    return _curve_figures("volume", parts, resamples, settings, (lesioned, ~lesioned), len(cases))


def slice_figures(
    cases: Sequence[CaseSummary], resamples: Resamples, settings: EvaluationSettings
) -> list[Figure]:
    """Axial slices with lesion against those without, and how they agree with volumes."""
    lesioned = np.array([case.lesioned for case in cases])
    parts = [case.slices.histogram() for case in cases]
    count = sum(len(case.slices.scores) for case in cases)
    figures = _curve_figures("slice", parts, resamples, settings, (lesioned,), count)
    return [*figures, _agreement(cases, resamples)]


def _curve_figures(
    level: str,
    parts: Sequence[Histogram],
    resamples: Resamples,
    settings: EvaluationSettings,
    needed: tuple[np.ndarray, ...],
    count: int,
) -> list[Figure]:
    total = parts[0]
    for part in parts[1:]:
        total = total.plus(part, settings.bins)
    coarse = [part.within(settings.bootstrap_bins) for part in parts]
    bins = settings.bootstrap_bins
    estimates = pooled_estimates(FIGURES, total, coarse, bins, resamples, *needed)
    return [
        Figure(f"{level}_{name}", estimate, count, error=error)
        for name, (estimate, error) in estimates.items()
    ]


def _one(key: int, lesioned: bool) -> Histogram:
    counts = np.array([int(lesioned)]), np.array([int(not lesioned)])
    return Histogram(np.array([key], np.uint32), *counts)


def _agreement(cases: Sequence[CaseSummary], resamples: Resamples) -> Figure:
    highest = np.array([case.slices.scores.max() for case in cases], float)
    overall = np.array([case.volume_score for case in cases])
    estimate = Estimate()
    if len(cases) >= FEWEST_PAIRS:
        value = spearman(highest, overall, np.ones((1, len(cases))))[0]
        if np.isfinite(value):
            samples = spearman(highest, overall, resamples.weights)
            everyone = np.ones(len(cases), bool)
            estimate = resamples.around(float(value), samples, everyone)
    return Figure("slice_volume_spearman", estimate, len(cases))
