"""One figure of several trainings: how it varies over subjects, over seeds, and between two."""

from collections.abc import Sequence

import numpy as np

from slicenet.metrics.resamples import Estimate, estimate


def over_seeds(trainings: Sequence[Estimate], level: float) -> Estimate:
    """The mean of a figure over trainings that were judged by the same bootstrap samples.

    Each sample of subjects counts for all trainings at once: the interval is over subjects.
    """
    values = [training.value for training in trainings if training.value is not None]
    if len(values) < len(trainings):
        return Estimate()
    samples = [training.samples for training in trainings if training.samples is not None]
    mean = float(np.mean(values))
    if len(samples) < len(trainings):
        return Estimate(mean)
    return estimate(mean, np.mean(samples, 0), level)


def between(first: Estimate, second: Estimate, level: float) -> Estimate:
    """`first` less `second` of the same bootstrap samples, so that subjects are paired."""
    if first.value is None or second.value is None:
        return Estimate()
    value = first.value - second.value
    if first.samples is None or second.samples is None:
        return Estimate(value)
    return estimate(value, first.samples - second.samples, level)


def spread_over_seeds(trainings: Sequence[Estimate]) -> float | None:
    """The standard deviation of a figure over trainings; none for a single one."""
    values = [training.value for training in trainings if training.value is not None]
    if len(values) < max(len(trainings), 2):
        return None
    return float(np.std(values, ddof=1))
