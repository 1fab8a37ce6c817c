"""How much figures would change with other subjects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from slicenet.metrics.settings import EvaluationSettings

ENOUGH = 2  # subjects, below which a spread cannot be told


@final
@dataclass(frozen=True)
class Estimate:
    """A figure and its interval; None where it does not exist or cannot be told."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    # Of each bootstrap sample [R]; NaN where it lacks the figure, none where there is no interval.
    samples: np.ndarray | None = field(default=None, repr=False, compare=False)


@final
@dataclass(frozen=True, eq=False)
class Resamples:
    """Bootstrap samples of subjects; all volumes of a subject come and go together."""

    weights: np.ndarray  # [R, N] float64, how often each volume occurs in each sample
    subjects: np.ndarray  # [N] int, the subject of each volume
    level: float

    def estimate(
        self,
        parts: np.ndarray,
        statistic: Callable[[np.ndarray], np.ndarray],
        *needed: np.ndarray,
    ) -> Estimate:
        """A figure that follows from sums over volumes of `parts` [N, K].

        `statistic` takes sums [R, K] to figures [R]; `needed` are kinds of volumes [N] bool, of
        each of which an interval wants two subjects.
        """
        value = statistic(parts.sum(0, keepdims=True))[0]
        if not np.isfinite(value):
            return Estimate()
        return self.around(float(value), statistic(self.weights @ parts), *needed)

    def around(self, value: float, samples: np.ndarray, *needed: np.ndarray) -> Estimate:
        """The interval of `samples` [R] about `value`; samples without the figure are NaN."""
        defined = samples[np.isfinite(samples)]
        subjects = min(len(np.unique(self.subjects[kind])) for kind in needed)
        if subjects < ENOUGH or not len(defined):
            return Estimate(value)
        return estimate(value, samples, self.level)


def estimate(value: float, samples: np.ndarray, level: float) -> Estimate:
    """The interval that holds the share `level` of those `samples` [R] that have the figure."""
    outside = (1 - level) / 2
    low, high = np.nanquantile(samples, (outside, 1 - outside))
    return Estimate(value, float(low), float(high), samples)


def resample(
    subjects: Sequence[str], lesioned: Sequence[bool], settings: EvaluationSettings
) -> Resamples:
    """Draw subjects with replacement, those with and those without lesions apart."""
    names, numbers = np.unique(np.array(subjects), return_inverse=True)
    with_lesion = np.bincount(numbers, np.array(lesioned, float)) > 0
    counts = np.zeros((settings.resamples, len(names)))
    for kind in (False, True):
        members = np.flatnonzero(with_lesion == kind)
        if len(members):
            generator = np.random.default_rng((settings.seed, int(kind)))
            even = np.full(len(members), 1 / len(members))
            counts[:, members] = generator.multinomial(len(members), even, settings.resamples)
    return Resamples(counts[:, numbers], numbers, settings.level)
