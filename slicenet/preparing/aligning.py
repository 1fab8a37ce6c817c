"""From a scan as a file has it to its brain, and to where the average brain lies in it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.mni import average
from slicenet.preparing.brain_mask import brain_mask
from slicenet.preparing.gain import without_gain
from slicenet.preparing.itk import squared
from slicenet.preparing.placing import sampled
from slicenet.preparing.registering import find_brain, find_head

EDGE = 2.0  # mm, of the blocks that a mask is drawn in


@final
@dataclass(frozen=True, eq=False)
class Aligned:
    """A scan in RAS order, and the way to it from MNI space."""

    values: np.ndarray  # [X, Y, Z] float32, of even gain, not negative
    brain: np.ndarray  # [X, Y, Z] bool
    to_voxels: np.ndarray  # [4, 4] MNI mm to voxels of the scan


def align(values: np.ndarray, affine: np.ndarray, brain: np.ndarray | None) -> Aligned:
    """Find the brain, unless it is given, and the average brain in it; `affine` is of RAS order."""
    place = squared(affine)
    even = without_gain(values - min(float(values.min()), 0), place, brain)
    if brain is not None:
        found = find_brain(np.where(brain, even, 0), place, None)
    else:
        rough = find_head(even, place)
        first = _drawn(even, place, rough)
        found = find_brain(np.where(first, even, 0), place, rough)
        brain = _drawn(even, place, found)
    return Aligned(even, brain, np.linalg.inv(place) @ found)


def _drawn(values: np.ndarray, affine: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The mask of a scan in which the average brain lies as `found` says, bool [X, Y, Z]."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    blocks = np.clip(np.floor(EDGE / spacing + 0.5), 1, values.shape).astype(int)
    coarse = _averaged(values, blocks)
    to_fine = np.diag([*blocks, 1.0])
    to_fine[:3, 3] = (blocks - 1) / 2  # the middle of a block
    to_average = np.linalg.inv(average().affine) @ np.linalg.inv(found) @ affine
    expected = sampled(average().brain, to_average @ to_fine, coarse.shape) > 0.5
    mask = brain_mask(coarse, spacing * blocks, expected)
    return sampled(mask, np.linalg.inv(to_fine), values.shape) > 0.5


def _averaged(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Means of blocks; what does not fill a last block is left out."""
    shape = np.array(values.shape) // blocks
    whole = values[tuple(slice(end) for end in shape * blocks)]
    parts = whole.reshape([size for pair in zip(shape, blocks, strict=True) for size in pair])
    return parts.mean((1, 3, 5))
