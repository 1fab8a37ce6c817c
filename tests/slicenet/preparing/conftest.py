from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from scipy.spatial.transform import Rotation

from slicenet.mni import average
from slicenet.resampling import sample


@dataclass(frozen=True)
class Head:
    """The average brain in a skull and a scalp, turned, resized and moved, at 3 mm."""

    values: np.ndarray  # [X, Y, Z] RAS
    brain: np.ndarray  # bool
    affine: np.ndarray
    matrix: np.ndarray  # MNI mm to the head's mm


def corners():
    """Places all over a brain, MNI mm, [4, 8]."""
    ends = np.meshgrid((-60, 60), (-90, 60), (-40, 70))
    return np.vstack([*(end.ravel() for end in ends), np.ones(8)])


@pytest.fixture(scope="session")
def off():
    """How far two matrices take a place of the brain apart at most, mm."""
    return lambda found, wanted: np.linalg.norm(((found - wanted) @ corners())[:3], axis=0).max()


@pytest.fixture(scope="session")
def head():
    found = average()
    t1, affine = np.pad(found.t1, 30), found.affine.copy()
    affine[:3, 3] -= 30
    outside = distance_transform_edt(t1 == 0)
    scalp = (outside > 8) & (outside < 16)
    anatomy = t1 / t1.max() + 0.9 * scalp + 0.12 * ((outside > 0) & (outside <= 2))
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (-9, 4, 6), degrees=True).as_matrix() * 0.9
    matrix[:3, 3] = 12, -25, 31
    shape, place = (72, 84, 78), np.diag([3.0, 3.0, 3.0, 1.0])
    place[:3, 3] = -90, -150, -70
    to_source = np.linalg.inv(affine) @ np.linalg.inv(matrix) @ place
    both = torch.from_numpy(np.stack([anatomy, t1 > 0]).astype(np.float32))
    values, brain = sample(both, to_source, shape).numpy()
    noise = np.random.default_rng(0).normal(0, 0.01, shape)
    return Head(((values + noise) * 800).astype(np.float32), brain > 0.5, place, matrix)
