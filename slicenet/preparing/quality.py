"""Whether a registration can be trusted: what is asked, and what healthy brains reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.ndimage import gaussian_filter

from slicenet.mni import Average

BLUR = 4.0  # mm: finer anatomy is everyone's own
BINS = 32
# Of 13 healthy adults the least is 0.53; 20 degrees off it is 0.39 at most, 10 mm off 0.13.
SIMILAR = 0.42
OVERLAP = 0.85
SIZES = (0.6, 1.3)  # of a brain beside the average one, along any direction


@final
@dataclass(frozen=True)
class Quality:
    """How well a scan lies on the average brain."""

    similarity: float  # share of the average's variance that the scan's intensities explain
    overlap: float  # Dice of both brains
    smallest: float  # size beside the average brain, along the direction where it is least
    largest: float

    def doubts(self) -> Iterator[str]:
        """What speaks against the registration, in words; nothing of a good one."""
        if self.similarity < SIMILAR:
            yield f"similarity {self.similarity:.2f} to the average brain, below {SIMILAR}"
        if self.overlap < OVERLAP:
            yield f"overlap {self.overlap:.2f} with the average brain, below {OVERLAP}"
        if not SIZES[0] <= self.smallest <= self.largest <= SIZES[1]:
            sizes = f"{self.smallest:.2f} to {self.largest:.2f}"
            yield f"{sizes} times as large as the average brain, outside {SIZES[0]} to {SIZES[1]}"


def judge(voxels: np.ndarray, brain: np.ndarray, matrix: np.ndarray, template: Average) -> Quality:
    """Of a scan and its brain on the grid of the average; `matrix` is MNI mm to the scan's mm."""
    both = brain & template.brain
    sizes = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    overlap = 2 * both.sum() / (brain.sum() + template.brain.sum())
    similarity = 0.0
    if both.any():
        sigmas = BLUR / np.diag(template.affine)[:3]
        seen = gaussian_filter(np.where(brain, voxels, 0), sigmas)[both]
        similarity = _explained(gaussian_filter(template.t1, sigmas)[both], seen)
    return Quality(similarity, float(overlap), float(sizes[-1]), float(sizes[0]))


def _explained(wanted: np.ndarray, seen: np.ndarray) -> float:
    """Correlation ratio: a T2 may be bright where a T1 is dark, if only it always is."""
    edges = np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1])
    places = np.searchsorted(edges, seen)
    counts = np.bincount(places, minlength=BINS)
    means = np.bincount(places, wanted, minlength=BINS) / counts.clip(min=1)
    total = wanted.var() * len(wanted)
    return float((counts * (means - wanted.mean()) ** 2).sum() / total) if total else 0.0
