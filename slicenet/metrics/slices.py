"""A volume as a stack of axial slices, as papers that speak of detection often judge it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.case import BrainBox
from slicenet.metrics.histogram import Histogram
from slicenet.metrics.ranking import rank


@final
@dataclass(frozen=True, eq=False)
class Slices:
    """The axial slices of one volume that hold brain."""

    scores: np.ndarray  # [S] float32, the highest score of the slice's brain
    lesioned: np.ndarray  # [S] bool, whether the truth marks any of its brain

    def histogram(self) -> Histogram:
        """The slice scores of this volume, each with its own bin."""
        return rank(self.scores, self.lesioned).histogram()


def axial_slices(box: BrainBox) -> Slices:
    """Score and label each slice along the last axis, which in RAS order goes up."""
    with_brain = np.flatnonzero(box.brain.any((0, 1)))
    inside = np.where(box.brain, box.scores, -np.inf)
    lesioned = np.logical_or.reduce(box.truth, (0, 1))
    return Slices(inside.max((0, 1))[with_brain], lesioned[with_brain])
