"""How far from a cohort is too far: all measures are one test, right for small cohorts too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy import special

from slicenet.domain.measures import BOTH, Measure

FEWEST = 10  # subjects; fewer tell too little of what is usual
# Shares of healthy inputs that may be flagged: by the normal distribution, and by rank alone.
BY_MODEL, BY_RANK = 0.01, 0.025
WIDEST = 2.0  # times what the normal distribution asks for: the rest is no tail, but a bad scan
OUTLYING = 4.0  # deviations beyond which a subject does not widen the deviation any more


@final
@dataclass(frozen=True, eq=False)
class Limits:
    """Centre and deviation of each measure, and how many deviations are too many for any."""

    centre: np.ndarray  # [K], on the scales of the measures
    deviation: np.ndarray  # [K]
    reach: float

    def distances(self, rows: np.ndarray, sides: np.ndarray) -> np.ndarray:
        """Deviations from the centre to the side that counts, [..., K]."""
        signed = (rows - self.centre) / self.deviation
        return np.where(sides == BOTH, np.abs(signed), signed * sides)


def learn_limits(
    rows: np.ndarray, measures: Sequence[Measure], who: np.ndarray | None = None
) -> Limits:
    """Limits from the scaled measures [rows, K] of healthy subjects.

    `who` [rows] tells whose they are; without it, each is of a subject of its own.

    The reach is that of Student's t for one more subject, shared out among the measures; where
    tails are heavier, what all but the strangest few keep to that are left out in turn, in
    whichever measure each is strangest. By their ranks alone, about `BY_RANK` of further subjects
    lie beyond that (of fewer than 39 subjects, 1 in one more than they are). But never more than
    `WIDEST` times the former, or a T2 among 30 T1s would let every T2 pass.
    """
    who = np.arange(len(rows)) if who is None else who
    count = len(np.unique(who))
    sides = np.array([measure.side for measure in measures])
    floor = np.array([measure.tolerance for measure in measures])
    tails = np.where(sides == BOTH, 2, 1).sum()
    by_model = -float(special.stdtrit(count - 1, BY_MODEL / tails)) * math.sqrt(1 + 1 / count)
    left_out = [
        Limits(*_middle(rows[who != own], floor), 0.0).distances(row, sides).max()
        for row, own in zip(rows, who, strict=True)
    ]
    rank = min(math.ceil((len(rows) + 1) * (1 - BY_RANK)), len(rows))
    by_rank = float(np.sort(left_out)[rank - 1])
    return Limits(*_middle(rows, floor), min(max(by_model, by_rank), WIDEST * by_model))


def _middle(rows: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and deviation of each column, [K] each."""
    centre = np.median(rows, axis=0)
    middle = np.maximum(1.4826 * np.median(np.abs(rows - centre), axis=0), floor)
    # One bad scan in the cohort must not make room for all that are as bad.
    held = np.clip(rows - centre, -OUTLYING * middle, OUTLYING * middle)
    return centre, np.maximum(np.sqrt((held**2).sum(0) / (len(rows) - 1)), floor)
