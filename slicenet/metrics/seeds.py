"""One figure of several trainings: how it varies over subjects, and how over seeds."""

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


def spread_over_seeds(trainings: Sequence[Estimate]) -> float | None:
    """The standard deviation of a figure over trainings; none for a single one."""
    values = [training.value for training in trainings if training.value is not None]
    if len(values) < max(len(trainings), 2):
        return None
    return float(np.std(values, ddof=1))
