"""How far from a cohort is too far: all measures are one test, right for small cohorts too."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy import special

from slicenet.domain.measures import BOTH, Measure

FEWEST = 10  # subjects; fewer tell too little of what is usual
# Shares of healthy inputs that may be flagged: by the normal distribution, and by rank alone.
BY_MODEL, BY_RANK = 0.01, 0.025
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


def learn_limits(rows: np.ndarray, measures: list[Measure]) -> Limits:
    """Limits from the scaled measures [subjects, K] of healthy subjects.

    The reach is that of Student's t for one more subject, shared out among the measures, and never
    less than what all but the strangest few of the subjects keep to, in whichever measure each is
    strangest: by their ranks alone, at most `BY_RANK` of further ones lie beyond (1 in N + 1 of
    fewer than 39 subjects), whatever the distributions are.
    """
    count = len(rows)
    sides = np.array([measure.side for measure in measures])
    floor = np.array([measure.tolerance for measure in measures])
    centre = np.median(rows, axis=0)
    middle = np.maximum(1.4826 * np.median(np.abs(rows - centre), axis=0), floor)
    # One bad scan in the cohort must not make room for all that are as bad.
    held = np.clip(rows - centre, -OUTLYING * middle, OUTLYING * middle)
    deviation = np.maximum(np.sqrt((held**2).sum(0) / (count - 1)), floor)
    tails = np.where(sides == BOTH, 2, 1).sum()
    by_model = -float(special.stdtrit(count - 1, BY_MODEL / tails)) * math.sqrt(1 + 1 / count)
    strangest = np.sort(Limits(centre, deviation, 0.0).distances(rows, sides).max(1))
    rank = min(math.ceil((count + 1) * (1 - BY_RANK)), count)
    return Limits(centre, deviation, float(max(by_model, strangest[rank - 1])))
