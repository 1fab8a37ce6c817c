"""Lesions found, lesions missed and false finds, counted one component at a time."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy import ndimage

from slicenet.metrics.settings import EvaluationSettings

NEIGHBOURS = np.ones((3, 3, 3), bool)  # 26: faces, edges and corners


@final
@dataclass(frozen=True, eq=False)
class Components:
    """The 26-connected components of a mask."""

    numbers: np.ndarray  # [X, Y, Z] int32, 0 is none
    sizes: np.ndarray  # [K + 1] voxels, of number 0 set to 0


@final
@dataclass(frozen=True, eq=False)
class LesionCounts:
    """Counts in each size stratum: lesions by their own size, predictions by theirs."""

    lesions: np.ndarray  # [strata] int64, in the truth
    found: np.ndarray  # [strata] int64, those of them that a prediction touches
    predicted: np.ndarray  # [strata] int64, predicted components that are large enough
    right: np.ndarray  # [strata] int64, those of them that touch a lesion

    def table(self) -> np.ndarray:
        """The four rows above, [4, strata]."""
        return np.stack([self.lesions, self.found, self.predicted, self.right])


def label_components(mask: np.ndarray) -> Components:
    """Number the 26-connected components of a mask [X, Y, Z]."""
    numbers, count = ndimage.label(mask, NEIGHBOURS)
    sizes = np.bincount(numbers[mask], minlength=count + 1)
    return Components(numbers, sizes)


def count_lesions(
    truth: Components, prediction: np.ndarray, voxel_ml: float, settings: EvaluationSettings
) -> LesionCounts:
    """Match the components of a prediction [X, Y, Z] with lesions by any common voxel.

    Predicted components below `minimum_voxels` are noise; lesions are never left out.
    """
    guess = label_components(prediction)
    kept = guess.sizes >= settings.minimum_voxels
    marked = np.flatnonzero(truth.numbers)
    lesion, hit = truth.numbers.ravel()[marked], guess.numbers.ravel()[marked]
    touching = kept[hit]  # number 0 has size 0, so it never counts
    edges = np.array(settings.strata_ml)
    return LesionCounts(
        *_count(truth.sizes, truth.sizes > 0, lesion[touching], voxel_ml, edges),
        *_count(guess.sizes, kept, hit[touching], voxel_ml, edges),
    )


def _count(
    sizes: np.ndarray, among: np.ndarray, matched: np.ndarray, voxel_ml: float, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many components there are, and how many are matched, in each stratum."""
    strata = np.digitize(sizes * voxel_ml, edges)
    is_matched = np.zeros(len(sizes), bool)
    is_matched[matched] = True
    count = len(edges) + 1
    return (
        np.bincount(strata[among], minlength=count),
        np.bincount(strata[among & is_matched], minlength=count),
    )
