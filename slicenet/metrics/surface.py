"""How far the outline of a prediction lies from the outline of the truth."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.spatial import cKDTree


@final
@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between two outlines in mm."""

    hausdorff95: float  # the larger of the two directed 95th percentiles
    hausdorff99: float
    false99: float  # the 99th percentile from the prediction to the truth alone
    mean: float  # over the voxels of both outlines together


@final
@dataclass(frozen=True, eq=False)
class Outline:
    """The voxels of a mask that touch its outside by a face; the grid's edge is outside."""

    points: np.ndarray  # [N, 3] mm

    @cached_property
    def tree(self) -> cKDTree:
        """To ask for nearest points; built in linear time, since nothing here is adversarial."""
        return cKDTree(self.points, balanced_tree=False, compact_nodes=False)

    def distances_to(self, other: "Outline") -> np.ndarray:
        """Distance of each own point to the nearest of `other`, [N] mm."""
        return other.tree.query(self.points)[0]


def outline(mask: np.ndarray, spacing: tuple[float, float, float]) -> Outline:
    """The outline of a mask [X, Y, Z], with voxel centres in mm."""
    padded = np.zeros(np.add(mask.shape, 2), bool)  # in C order, whatever the order of the mask
    padded[1:-1, 1:-1, 1:-1] = mask
    steps = np.array(padded.strides)  # of bool, so in voxels
    marked = np.flatnonzero(padded)
    flat = padded.ravel()
    buried = np.ones(len(marked), bool)
    for step in (*steps, *-steps):
        buried &= flat[marked + step]
    voxels = np.stack(np.unravel_index(marked[~buried], padded.shape), -1) - 1
    return Outline(voxels * np.array(spacing))


def surface_distances(truth: Outline, prediction: Outline, missed: float) -> SurfaceDistances:
    """Distances between two outlines; all are `missed` mm if nothing was predicted.

    Leaving such volumes out, as NaN does, would reward a method for finding nothing.
    """
    if not len(prediction.points):
        return SurfaceDistances(missed, missed, missed, missed)
    there, back = prediction.distances_to(truth), truth.distances_to(prediction)
    false = np.percentile(there, (95, 99))
    percentiles = np.maximum(false, np.percentile(back, (95, 99)))
    mean = (there.sum() + back.sum()) / (len(there) + len(back))
    return SurfaceDistances(
        float(percentiles[0]), float(percentiles[1]), float(false[1]), float(mean)
    )
