"""Voxels that are not numbers: background where tools write NaN for it, else counted."""

import numpy as np
from scipy import ndimage

from slicenet.errors import Notice, VolumeError
from slicenet.images.intensity import background_of

TOLERATED = 1e-3  # of the voxels inside
THIN = 2  # voxels along an axis whose ends are no border: all voxels lie there
SOLID = 0.25  # of the inside that has no background beside it; a sieve has less


def fill_nonfinite(voxels: np.ndarray) -> tuple[Notice, ...]:
    """Set NaN and Inf in [X, Y, Z] to 0, in place; refuse where they riddle what is not background.

    NaN is background where nothing but more of it or other background lies before the border.
    """
    bad = ~np.isfinite(voxels)
    count = np.count_nonzero(bad)
    inside = ~bad & (voxels != background_of(voxels))
    size = np.count_nonzero(inside)
    if size == 0:
        raise VolumeError(
            f"{count:,} voxels are NaN or Inf, no others hold anything", "E_NONFINITE"
        )
    within = count
    if count > TOLERATED * (size + count):
        within = np.count_nonzero(bad & ~_outside(voxels, inside))
        solid = np.count_nonzero(ndimage.binary_erosion(inside, border_value=1))
        if within > TOLERATED * (size + within) or solid < SOLID * size:
            share = (within or count) / (size + (within or count))
            text = f"{share:.2%} of its voxels outside the background are NaN or Inf"
            raise VolumeError(text, "E_NONFINITE", "look at how it was made: a log or a division?")
    voxels[bad] = 0
    text = f"{count:,} voxels are NaN or Inf, {count - within:,} of them background: set to 0"
    return (Notice("W_NONFINITE", text),)


def _outside(voxels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """NaN and background voxels in pieces that reach the border."""
    pieces, count = ndimage.label(~inside & ~np.isinf(voxels))
    at_border = np.zeros(count + 1, bool)
    for axis in range(3):
        if voxels.shape[axis] > THIN:
            for end in (0, -1):
                at_border[np.unique(pieces.take(end, axis))] = True
    at_border[0] = False
    return at_border[pieces]
