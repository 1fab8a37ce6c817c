"""What every threshold would catch, and the figures that follow from it."""

from dataclasses import dataclass
from typing import final

import numpy as np


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Counts at or above each distinct score, from the highest score to the lowest.

    Ties are one step, so no order among equal scores is ever made up. Leading axes are
    independent curves; a figure that does not exist (no lesion, or nothing else) is NaN.
    """

    hits: np.ndarray  # [..., T] lesion voxels, never falling along T
    alarms: np.ndarray  # [..., T] other voxels, never falling along T

    def auroc(self, limit: float = 1.0) -> np.ndarray:
        """Area under the ROC curve up to the false-positive rate `limit`, over `limit`, [...]."""
        rate = share(self.alarms, self.alarms[..., -1:])
        return area_until(rate, share(self.hits, self.hits[..., -1:]), limit)

    def average_precision(self) -> np.ndarray:
        """Precision at each step, weighted by the recall that the step gains, [...]."""
        gained = np.diff(self.hits, axis=-1, prepend=0)
        precision = self.hits / np.maximum(self.hits + self.alarms, 1)
        return share((gained * precision).sum(-1), self.hits[..., -1])

    def trapezoid_precision(self) -> np.ndarray:
        """Area under straight lines between points of precision and recall, [...].

        Too kind: precision between two thresholds does not lie on the line. For comparison only.
        """
        gained = np.diff(self.hits, axis=-1, prepend=0)
        precision = self.hits / np.maximum(self.hits + self.alarms, 1)
        before = np.concatenate([np.ones_like(precision[..., :1]), precision[..., :-1]], -1)
        return share((gained * (precision + before) / 2).sum(-1), self.hits[..., -1])

    def best_dice(self) -> np.ndarray:
        """The highest Dice that any threshold reaches, [...]; an oracle knew which."""
        lesion = self.hits[..., -1:]
        dice = share(2 * self.hits, self.hits + self.alarms + lesion)
        return np.where(lesion[..., 0] > 0, dice.max(-1), np.nan)


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN where the whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def area_until(across: np.ndarray, up: np.ndarray, limit: float) -> np.ndarray:
    """Area under the lines from (0, 0) through the points [..., T], cut at `limit`, over `limit`.

    The line that crosses the limit is cut there, not dropped or taken whole.
    """
    width = np.diff(across, axis=-1, prepend=0)
    inside = np.diff(np.minimum(across, limit), axis=-1, prepend=0)
    rise = np.diff(up, axis=-1, prepend=0)
    reach = np.divide(inside, width, out=np.zeros_like(inside), where=width > 0)
    # From the right end: the line's height there, less what it still rises beyond the middle.
    return (inside * (up - rise * (1 - reach / 2))).sum(-1) / limit
