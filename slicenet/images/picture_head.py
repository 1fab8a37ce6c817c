"""Where in a grey picture the head is."""

import numpy as np
from scipy import ndimage

from slicenet.errors import VolumeError

CORNER = 0.08  # of a side; what lies there is background
NOISE = 6.0  # deviations of the background by which a head stands out
FAINT = 0.06  # and of the way to the brightest
LEAST = 0.02  # share of a picture that a head fills
STEP = 512  # pixels a side up to which the search is done in full


def find_head(grey: np.ndarray) -> np.ndarray:
    """The largest thing that stands out of the background, without holes, [H, W] bool."""
    every = max(1, -(-max(grey.shape) // STEP))
    small = ndimage.uniform_filter(grey, every)[::every, ::every] if every > 1 else grey
    found = _largest(_standing_out(small))
    if found.mean() < LEAST:
        raise VolumeError("nothing that could be a head stands out of the background", "E_EMPTY")
    if every == 1:
        return found
    grown = found.repeat(every, 0).repeat(every, 1)
    return grown[: grey.shape[0], : grey.shape[1]]


def _standing_out(grey: np.ndarray) -> np.ndarray:
    """Unlike the corners by more than their noise and a little of the whole range."""
    background, noise = _corners(grey)
    # A little smoother than it is: JPEG leaves its blocks around a head.
    apart = np.abs(ndimage.gaussian_filter(grey, 1.0) - background)
    return apart > max(NOISE * noise, FAINT * float(np.quantile(apart, 0.99)))


def _corners(grey: np.ndarray) -> tuple[float, float]:
    """Level and deviation of the background, as most of the corners have it."""
    rows, columns = (max(2, round(CORNER * side)) for side in grey.shape)
    patches = [
        grey[down, across]
        for down in (slice(rows), slice(-rows, None))
        for across in (slice(columns), slice(-columns, None))
    ]
    levels = [float(np.median(patch)) for patch in patches]
    spreads = [
        1.4826 * float(np.median(np.abs(patch - level)))
        for patch, level in zip(patches, levels, strict=True)
    ]
    # The second lowest of four: a label or a shoulder may lie in one or two corners.
    return sorted(levels)[1], sorted(spreads)[1]


def _largest(there: np.ndarray) -> np.ndarray:
    # Opened, so that a ruler or a caption is no bridge, and closed, so that the skull is one ring.
    parts, count = ndimage.label(ndimage.binary_opening(there, iterations=2))
    if not count:
        return np.zeros_like(there)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    ring = np.pad(parts == sizes.argmax(), 6)
    whole = ndimage.binary_fill_holes(ndimage.binary_closing(ring, iterations=4))
    # A pixel less, for the smoothing has spread the rim into the background.
    return ndimage.binary_erosion(whole)[6:-6, 6:-6]
