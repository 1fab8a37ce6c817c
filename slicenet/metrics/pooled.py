"""Figures of curves over many volumes: their voxels, their slices, or the volumes themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.bounds import (
    Bounded,
    bounded_auroc,
    bounded_average_precision,
    bounded_best_dice,
)
from slicenet.metrics.curve import Curve
from slicenet.metrics.histogram import Histogram
from slicenet.metrics.resamples import Estimate, Resamples
from slicenet.metrics.settings import FPR_LIMIT

ROWS, VOLUMES = 128, 256  # at a time, to bound memory


@final
@dataclass(frozen=True)
class CurveFigure:
    """The same figure of one histogram, with bounds, and of many curves at once."""

    of_histogram: Callable[[Histogram], Bounded]
    of_curves: Callable[[Curve], np.ndarray]


FIGURES: Mapping[str, CurveFigure] = {
    "auroc": CurveFigure(bounded_auroc, Curve.auroc),
    "average_precision": CurveFigure(bounded_average_precision, Curve.average_precision),
    "auroc30": CurveFigure(
        lambda histogram: bounded_auroc(histogram, FPR_LIMIT), lambda curve: curve.auroc(FPR_LIMIT)
    ),
    "oracle_dice": CurveFigure(bounded_best_dice, Curve.best_dice),
}


def pooled_estimates(
    names: Sequence[str],
    total: Histogram,
    parts: Sequence[Histogram],
    bins: int,
    resamples: Resamples,
    *needed: np.ndarray,
) -> dict[str, tuple[Estimate, float | None]]:
    """Figures of `total` with intervals from the histogram of each volume, and their errors.

    `parts` hold at most `bins` bins each. Nothing exists without both lesion and its absence.
    """
    if not total.positives.any() or not total.negatives.any():
        return {name: (Estimate(), None) for name in names}
    coarse = total.within(bins)
    curve = coarse.curve()
    samples = _samples(names, coarse, parts, resamples.weights)
    estimates: dict[str, tuple[Estimate, float | None]] = {}
    for name in names:
        exact = FIGURES[name].of_histogram(total)
        # The fine figure is the one reported; the coarse one serves for the spread about it.
        moved = samples[name] + (exact.value - FIGURES[name].of_curves(curve))
        estimate = resamples.around(exact.value, np.clip(moved, 0, 1), *needed)
        estimates[name] = (estimate, exact.error)
    return estimates


def _samples(
    names: Sequence[str], coarse: Histogram, parts: Sequence[Histogram], weights: np.ndarray
) -> dict[str, np.ndarray]:
    """The figures of each bootstrap sample, [R] each."""
    positives = np.zeros((len(weights), len(coarse.keys)))
    negatives = np.zeros_like(positives)
    for volumes, counts in _dense(coarse, parts):
        positives += weights[:, volumes] @ counts[0]
        negatives += weights[:, volumes] @ counts[1]
    samples: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for start in range(0, len(weights), ROWS):
        rows = slice(start, start + ROWS)
        hits = np.cumsum(positives[rows, ::-1], -1)
        curve = Curve(hits, np.cumsum(negatives[rows, ::-1], -1))
        for name in names:
            samples[name].append(FIGURES[name].of_curves(curve))
    return {name: np.concatenate(rows) for name, rows in samples.items()}


def _dense(coarse: Histogram, parts: Sequence[Histogram]) -> Iterator[tuple[slice, np.ndarray]]:
    """Some volumes at a time: which, and their counts in the bins of `coarse`, [2, n, B]."""
    for start in range(0, len(parts), VOLUMES):
        some = parts[start : start + VOLUMES]
        counts = np.zeros((2, len(some), len(coarse.keys)))
        for row, part in enumerate(some):
            # A part never needs a larger shift than the whole, so its bins fit into those.
            fitted = part.at(coarse.shift)
            places = np.searchsorted(coarse.keys, fitted.keys)
            counts[0, row, places] = fitted.positives
            counts[1, row, places] = fitted.negatives
        yield slice(start, start + len(some)), counts
