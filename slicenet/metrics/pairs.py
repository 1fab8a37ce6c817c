"""Two detectors on the same volumes: is one better, or is it luck?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from slicenet.errors import ConfigError
from slicenet.metrics.definitions import DEFINITIONS
from slicenet.metrics.evaluation import Evaluation
from slicenet.metrics.resamples import resample
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.table import Row, interval_text, number_text

EXACT = 16  # subjects, up to which all 2^n signs are tried
DRAWS = 10_000  # of signs, with more subjects
BLOCK = 2**22  # signs at a time, to bound memory
SECTION = (
    "these maps - those compared with, mean over subjects; p of a two-sided sign-flip test, "
    "not corrected for the number of figures"
)


@final
@dataclass(frozen=True)
class PairedDifference:
    """One figure of both sides, over the subjects that have it on both."""

    figure: str
    first: float  # mean over subjects
    second: float
    difference: float  # first - second
    low: float | None  # bootstrap interval of the difference; None with a single subject
    high: float | None
    p_value: float  # two-sided sign-flip test; not corrected for the number of figures
    subjects: int


@final
@dataclass(frozen=True)
class Comparison:
    """All figures that both sides have, and the volumes that only one side has."""

    differences: tuple[PairedDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """Plain values for JSON and CSV."""
        return [asdict(difference) for difference in self.differences]

    def rows(self) -> list[Row]:
        """The differences for people: first - second, its interval, p and number of subjects."""
        return [
            Row(
                SECTION,
                f"  {_label(one.figure)}",
                f"{number_text(one.first)} - {number_text(one.second)} = "
                f"{number_text(one.difference)}, p = {one.p_value:.2g}",
                interval_text(one.low, one.high),
                f"{one.subjects} subjects",
            )
            for one in self.differences
        ]


def compare_pairs(first: Evaluation, second: Evaluation) -> Comparison:
    """Test each figure of single volumes for a difference, with the settings of `first`.

    Volumes are paired by name. A threshold means what its own side calibrated under that name.
    """
    ours = {case.name: case for case in first.cases}
    theirs = {case.name: case for case in second.cases}
    common = [name for name in ours if name in theirs]
    if not common:
        raise ConfigError("the two sides have no volume in common", "E_PAIRS")
    differences = []
    for figure in [figure.key for figure in first.figures]:
        both = [n for n in common if figure in ours[n].values and figure in theirs[n].values]
        if both:
            sides = np.array([[ours[n].values[figure], theirs[n].values[figure]] for n in both])
            subjects = [ours[name].subject for name in both]
            differences.append(paired_difference(figure, subjects, sides, first.settings))
    only_first = tuple(name for name in ours if name not in theirs)
    only_second = tuple(name for name in theirs if name not in ours)
    return Comparison(tuple(differences), only_first, only_second)


def paired_difference(
    figure: str, subjects: Sequence[str], sides: np.ndarray, settings: EvaluationSettings
) -> PairedDifference:
    """Test a figure of single volumes, [N, 2] of both sides, over the subjects of those volumes."""
    means = _by_subject(subjects, sides)
    differences = means[:, 0] - means[:, 1]
    count = len(differences)
    alike = [False] * count  # a figure of single volumes belongs to one kind of subject only
    resamples = resample([f"{number:09}" for number in range(count)], alike, settings)
    samples = resamples.weights @ differences / count
    interval = resamples.around(float(differences.mean()), samples, np.ones(count, bool))
    return PairedDifference(
        figure=figure,
        first=float(means[:, 0].mean()),
        second=float(means[:, 1].mean()),
        difference=float(differences.mean()),
        low=interval.low,
        high=interval.high,
        p_value=sign_flip(differences, settings.seed),
        subjects=count,
    )


def sign_flip(differences: np.ndarray, seed: int) -> float:
    """Two-sided p-value of the mean of `differences` [N], if each had either sign alike.

    All signs are tried up to 16 differences; beyond, 10 000 are drawn and the observed counts.
    """
    seen = abs(differences.sum())
    # Sums in another order differ in the last bits; such a tie is a tie.
    bar = seen - 1e-9 * np.abs(differences).sum()
    if len(differences) <= EXACT:
        signs = _all_signs(len(differences))
        return float((np.abs(signs @ differences) >= bar).mean())
    generator = np.random.default_rng((seed, len(differences)))
    rows = max(1, BLOCK // len(differences))
    above, left = 1, DRAWS
    while left:
        shape = (min(rows, left), len(differences))
        signs = generator.integers(0, 2, shape, np.int8) * 2.0 - 1
        above += int((np.abs(signs @ differences) >= bar).sum())
        left -= shape[0]
    return above / (DRAWS + 1)


def _label(figure: str) -> str:
    name, _, threshold = figure.partition("@")
    definition = DEFINITIONS[name]
    oracle = " **oracle**" if definition.oracle else ""
    return f"{definition.label}{f' at {threshold}' if threshold else ''}{oracle}"


def _by_subject(subjects: Sequence[str], sides: np.ndarray) -> np.ndarray:
    """Both sides [N, 2] as means over the volumes of each subject, [subjects, 2]."""
    _, numbers = np.unique(np.array(subjects), return_inverse=True)
    sums = np.stack([np.bincount(numbers, side) for side in sides.T], 1)
    return sums / np.bincount(numbers)[:, None]


def _all_signs(count: int) -> np.ndarray:
    """Every way to give `count` numbers a sign, [2^count, count]."""
    bits = np.arange(2**count)[:, None] >> np.arange(count) & 1
    return bits * 2.0 - 1
