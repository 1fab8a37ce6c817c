"""What lies together above a threshold, piece by piece."""

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy import ndimage

NEIGHBOURS = np.ones((3, 3, 3), bool)  # voxels that touch by a face, an edge or a corner


@final
@dataclass(frozen=True)
class Component:
    """One piece; places are millimetres of the file's world, RAS+ in NIfTI."""

    index: int  # its value among the labels
    voxels: int
    volume: float  # mm^3
    peak: float  # highest score
    mean: float  # score
    centroid: tuple[float, float, float]
    summit: tuple[float, float, float]  # where the peak is


def components(
    scores: np.ndarray, above: np.ndarray, affine: np.ndarray
) -> tuple[np.ndarray, tuple[Component, ...]]:
    """Labels [X, Y, Z] int32, 0 for none, and what each stands for; the largest piece is 1.

    Of pieces of one size the one with the higher peak comes first.
    """
    pieces, count = ndimage.label(above, NEIGHBOURS)
    if not count:
        return pieces.astype(np.int32), ()
    each = np.arange(1, count + 1)
    sizes = ndimage.sum_labels(above, pieces, each).astype(int)
    peaks = ndimage.maximum(scores, pieces, each)
    order = np.lexsort((each, -peaks, -sizes))
    rank = np.zeros(count + 1, np.int32)
    rank[each[order]] = each
    labels = rank[pieces]
    means = ndimage.mean(scores, labels, each)
    centres = _world(ndimage.center_of_mass(above, labels, each), affine)
    summits = _world(ndimage.maximum_position(scores, labels, each), affine)
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    return labels, tuple(
        Component(
            index, int(size), size * voxel, float(peak), float(mean),
            (float(x), float(y), float(z)), (float(i), float(j), float(k)),
        )
        for index, size, peak, mean, (x, y, z), (i, j, k) in zip(
            each.tolist(), sizes[order], peaks[order], means, centres, summits, strict=True
        )
    )  # fmt: skip


def _world(places: object, affine: np.ndarray) -> np.ndarray:
    """Millimetres of voxel coordinates, [N, 3]."""
    return np.asarray(places, np.float64) @ affine[:3, :3].T + affine[:3, 3]
