"""The average brain of MNI space, as nilearn ships it: ICBM152 2009a, symmetric, 1 mm."""

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

SPACE = "MNI152NLin2009aSym"  # what BIDS calls it
MARGIN = 3  # voxels of air around the brain


@final
@dataclass(frozen=True, eq=False)
class Average:
    """Maps on one grid [X, Y, Z] in RAS order, cropped to the brain; none of them to be changed."""

    t1: np.ndarray  # float32, 0 outside the brain
    grey: np.ndarray  # share of a voxel, 0..1
    white: np.ndarray
    affine: np.ndarray  # [4, 4] voxel to MNI mm, without rotation

    @property
    def brain(self) -> np.ndarray:
        """Voxels of the brain, bool."""
        return self.t1 > 0


@lru_cache(maxsize=1)
def average() -> Average:
    """Read it; ImportError or OSError where nilearn or its files are not installed."""
    # Not at the top: importing nilearn takes 2 s, and a procedural brain does without.
    datasets: Any = importlib.import_module("nilearn.datasets")
    image = datasets.load_mni152_template(resolution=1)
    t1 = np.asarray(image.dataobj, np.float32)
    white = np.asarray(datasets.load_mni152_wm_template(resolution=1).dataobj, np.float32)
    grey = np.asarray(datasets.load_mni152_gm_template(resolution=1).dataobj, np.float32)
    box = tuple(slice(max(i.min() - MARGIN, 0), i.max() + MARGIN + 1) for i in np.nonzero(t1))
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    return Average(t1[box], grey[box], white[box], affine)
