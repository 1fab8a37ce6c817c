"""The exact figures of one volume, all from a single sort."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.curve import Curve, area_until, share
from slicenet.metrics.histogram import Histogram


@final
@dataclass(frozen=True, eq=False)
class Ranking:
    """The voxels of one brain by score: one entry for each distinct score, the highest first."""

    keys: np.ndarray  # [T] uint32, ordered bits of the distinct scores, falling
    curve: Curve  # [T]
    overlap: np.ndarray  # [T] share of each lesion at or above, mean over lesions; 0 if none

    def aupro(self, limit: float) -> float:
        """Area under the mean overlap of lesions up to the false-positive rate `limit`."""
        if not self.curve.hits[-1]:
            return float("nan")
        rate = share(self.curve.alarms, self.curve.alarms[-1])
        return float(area_until(rate, self.overlap, limit))

    def histogram(self) -> Histogram:
        """How often each distinct score occurs."""
        positives = np.diff(self.curve.hits, prepend=0)
        negatives = np.diff(self.curve.alarms, prepend=0)
        return Histogram(self.keys[::-1], positives[::-1], negatives[::-1])


def rank(scores: np.ndarray, lesion: np.ndarray) -> Ranking:
    """Sort the scores [N] of a brain; `lesion` [N] numbers the lesion of each voxel, 0 is none."""
    # Score above, lesion below in one integer: one vectorised sort and nothing to gather.
    packed = (ordered_bits(scores).astype(np.uint64) << np.uint64(32)) | lesion.astype(np.uint64)
    packed.sort()
    packed = packed[::-1]
    keys = (packed >> np.uint64(32)).astype(np.uint32)
    numbers = (packed & np.uint64(2**32 - 1)).astype(np.int64)
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]), len(keys) - 1)
    hits = np.cumsum(numbers > 0)[ends]
    overlap = np.cumsum(_weights(numbers)[numbers])[ends]
    return Ranking(keys[ends], Curve(hits, ends + 1 - hits), overlap)


def ordered_bits(scores: np.ndarray) -> np.ndarray:
    """Unsigned 32-bit integers in the order of the float32 `scores`, equal where those are."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
    negative = bits >> np.uint32(31) == 1
    return np.where(negative, ~bits, bits | np.uint32(2**31))


def _weights(numbers: np.ndarray) -> np.ndarray:
    """What one voxel of each lesion adds to the mean overlap, [lesions + 1]."""
    sizes = np.bincount(numbers)
    sizes[0] = 0
    weights = np.zeros(len(sizes))
    weights[sizes > 0] = 1 / sizes[sizes > 0] / np.count_nonzero(sizes)
    return weights
