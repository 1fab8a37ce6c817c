"""The scores of a whole cohort in bounded memory."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.curve import Curve


@final
@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts over ordered float32 bits, whose lowest `shift` bits are dropped.

    With shift 0 every distinct score has its own bin and figures are exact. The shift is the
    smallest that keeps within the number of bins, so it does not depend on the order of volumes.
    """

    keys: np.ndarray  # [B] uint32, rising
    positives: np.ndarray  # [B] int64, lesion
    negatives: np.ndarray  # [B] int64, not lesion
    shift: int = 0

    def within(self, bins: int) -> "Histogram":
        """The finest histogram of the same scores that has at most `bins` bins."""
        shift = self.shift
        while np.count_nonzero(np.diff(self.keys >> (shift - self.shift))) + 1 > bins:
            shift += 1
        return self.at(shift)

    def at(self, shift: int) -> "Histogram":
        """The same scores with the lowest `shift` bits dropped."""
        if shift == self.shift:
            return self
        return _merged(self.keys >> (shift - self.shift), self.positives, self.negatives, shift)

    def plus(self, other: "Histogram", bins: int) -> "Histogram":
        """The scores of both, in at most `bins` bins."""
        shift = max(self.shift, other.shift)
        one, two = self.at(shift), other.at(shift)
        keys = np.concatenate([one.keys, two.keys])
        order = np.argsort(keys, kind="stable")  # merges two sorted runs in linear time
        positives = np.concatenate([one.positives, two.positives])[order]
        negatives = np.concatenate([one.negatives, two.negatives])[order]
        return _merged(keys[order], positives, negatives, shift).within(bins)

    def curve(self) -> Curve:
        """Counts at or above each bin, from the highest, [B]."""
        return Curve(np.cumsum(self.positives[::-1]), np.cumsum(self.negatives[::-1]))


def _merged(
    keys: np.ndarray, positives: np.ndarray, negatives: np.ndarray, shift: int
) -> Histogram:
    starts = np.append(0, np.flatnonzero(keys[1:] != keys[:-1]) + 1)
    add = np.add.reduceat
    return Histogram(keys[starts], add(positives, starts), add(negatives, starts), shift)
