"""Pooled figures with the range in which the exact ones must lie."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.curve import share
from slicenet.metrics.histogram import Histogram


@final
@dataclass(frozen=True)
class Bounded:
    """A figure from a histogram; whatever the order inside the bins, the exact one lies between."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """How far the exact figure can be from `value`; 0 if each bin holds a single score."""
        return max(self.value - self.low, self.high - self.value)


def bounded_auroc(histogram: Histogram, limit: float = 1.0) -> Bounded:
    """Area under the ROC curve up to `limit`, over `limit`; the curve stays in its bins' boxes."""
    curve = histogram.curve()
    value = float(curve.auroc(limit))
    if histogram.shift == 0:
        return Bounded(value, value, value)
    recall = share(curve.hits, curve.hits[-1])
    before = np.append(0, recall[:-1])
    rate = np.minimum(share(curve.alarms, curve.alarms[-1]), limit)
    width = np.diff(rate, prepend=0) / limit
    return Bounded(value, float((width * before).sum()), float((width * recall).sum()))


def bounded_average_precision(histogram: Histogram) -> Bounded:
    """Average precision; a bin at worst holds its false voxels first, at best its lesion first."""
    curve = histogram.curve()
    value = float(curve.average_precision())
    if histogram.shift == 0:
        return Bounded(value, value, value)
    gained = np.diff(curve.hits, prepend=0)
    others_before = np.append(0, curve.alarms[:-1])
    best = gained * share(curve.hits, curve.hits + others_before)
    total = curve.hits[-1]
    low = float(_worst(curve.hits - gained, gained, curve.alarms).sum() / total)
    return Bounded(value, low, float(np.nansum(best) / total))


def bounded_best_dice(histogram: Histogram) -> Bounded:
    """The oracle's Dice; a threshold inside a bin could at best split off all of its lesion."""
    curve = histogram.curve()
    value = float(curve.best_dice())
    if histogram.shift == 0:
        return Bounded(value, value, value)
    others_before = np.append(0, curve.alarms[:-1])
    best = share(2 * curve.hits, curve.hits + others_before + curve.hits[-1])
    return Bounded(value, value, float(best.max()))


def _worst(before: np.ndarray, gained: np.ndarray, others: np.ndarray) -> np.ndarray:
    """A lower bound of the sum of (before + k) / (before + k + others) for k = 1 … gained, [B]."""
    # The terms rise with k: the first bounds each of them, and an integral bounds their sum.
    # Sums over k itself would need as many terms as voxels, digamma would lose digits.
    known = np.maximum(before + others, 1)
    integral = gained - others * np.log1p(gained / known)
    first = gained * (before + 1) / (before + 1 + others)
    return np.maximum(integral, first)
