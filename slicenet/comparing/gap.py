"""How far the others are behind the best, and whether that may be luck."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from slicenet.comparing.standing import QUALITY, Standing, ranked
from slicenet.metrics import EvaluationSettings
from slicenet.metrics.multiplicity import holm
from slicenet.metrics.pairs import PairedDifference, paired_difference

FIGURES = (QUALITY, "dice@fpr0.01")


@final
@dataclass(frozen=True)
class Gap:
    """One figure of one backend, less that of the best, on the same subjects."""

    backend: str
    best: str
    found: PairedDifference
    holm: float  # p-value, corrected for all gaps of the comparison

    def record(self) -> dict[str, Any]:
        """Plain values for JSON and CSV."""
        return {
            "backend": self.backend, "best": self.best, **asdict(self.found), "p_holm": self.holm
        }  # fmt: skip


def gaps(standings: Sequence[Standing]) -> list[Gap]:
    """Each backend against the best, in the order of quality; the means over seeds are paired."""
    order = ranked(standings)
    pairs = [
        (other, _difference(other, order[0], figure)) for other in order[1:] for figure in FIGURES
    ]
    found = [(other, difference) for other, difference in pairs if difference]
    corrected = holm([difference.p_value for _, difference in found])
    return [
        Gap(other.backend, order[0].backend, difference, p_value)
        for (other, difference), p_value in zip(found, corrected, strict=True)
    ]


def _difference(one: Standing, best: Standing, figure: str) -> PairedDifference | None:
    ours, theirs = one.by_case(figure), best.by_case(figure)
    common = [name for name in ours if name in theirs]
    if not common:
        return None
    sides = np.array([[ours[name][1], theirs[name][1]] for name in common])
    subjects = [ours[name][0] for name in common]
    return paired_difference(figure, subjects, sides, EvaluationSettings())
