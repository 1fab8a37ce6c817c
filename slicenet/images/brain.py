"""The brain of a skull-stripped image: what is not background, unless that is a whole head.

Of a map of labels it is all that has one.
"""

import numpy as np
from scipy import ndimage

from slicenet.errors import VolumeError
from slicenet.images.image import Image
from slicenet.images.intensity import are_labels
from slicenet.images.skull import why_not_stripped

FAINT = 0.02  # of the tissue's level; less is rounding, or the ringing of a resampled edge
SPECK = 0.01  # of the largest piece; a smaller one is left over, such as an eye
FRAMED = 0.25  # of the box's edges must be background for there to be one
HINT = (
    "strip it first, with `slicenet prepare IN OUT`, `hd-bet -i IN -o OUT` or "
    "`mri_synthstrip -i IN -o OUT -m MASK`, or give its brain mask: --mask"
)


def find_brain(image: Image, name: str) -> np.ndarray:
    """Brain voxels of a skull-stripped image, bool [X, Y, Z] as stored, holes within included."""
    labels = are_labels(image.voxels)
    inside = foreground(image.voxels, name, 0.0 if labels else FAINT)
    # How large a label is says nothing: no bone is darker than what lies below it.
    seen = inside.astype(np.float32) if labels else image.voxels
    reason = why_not_stripped(seen, inside, image.grid.spacing)
    if reason:
        raise VolumeError(f"{name}: is not skull-stripped: {reason}", "E_SKULL", HINT)
    return inside


def foreground(voxels: np.ndarray, name: str, faint: float = FAINT) -> np.ndarray:
    """All that is not background, bool [X, Y, Z]: holes filled, specks dropped; a head too."""
    frame = _edges(voxels.shape)
    solid = _differing(voxels, frame, faint)
    if not solid.any():
        raise VolumeError(f"{name}: holds nothing but background", "E_CONSTANT")
    if np.mean(~solid[frame]) < FRAMED:
        message = f"{name}: has no background of one value, so nothing tells where the brain ends"
        raise VolumeError(message, "E_SKULL", HINT)
    return _filled(_without_specks(solid), frame)


def _edges(shape: tuple[int, ...]) -> np.ndarray:
    """Voxels on the twelve edges of the box, bool [X, Y, Z]; of one slice, all its border."""
    places = np.ogrid[tuple(slice(size) for size in shape)]
    ends = [(place == 0) | (place == size - 1) for place, size in zip(places, shape, strict=True)]
    x, y, z = ends
    return (x & y) | (y & z) | (z & x)


def _differing(voxels: np.ndarray, frame: np.ndarray, faint: float) -> np.ndarray:
    """Voxels that differ from the background: the value that most of the box's edges hold."""
    # Edges, not faces: a brain may touch all six faces of a tight box, hardly ever its edges.
    values, counts = np.unique(voxels[frame], return_counts=True)
    height = np.abs(voxels - values[counts.argmax()])
    return height > faint * _level(height) if height.any() else height > 0


def _level(height: np.ndarray) -> float:
    """Height of tissue over background; neither a spike nor endless ringing moves it."""
    # Order statistics only: sums round differently once the axes are turned.
    highest = np.percentile(height[height > 0], 99.9)
    return float(np.median(height[height > 0.1 * highest]))


def _without_specks(solid: np.ndarray) -> np.ndarray:
    pieces, _ = ndimage.label(solid, np.ones((3, 3, 3), bool))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept: np.ndarray = sizes >= max(1, SPECK * sizes.max())
    return kept[pieces]


def _filled(solid: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Fill all that is not connected to an edge of the box: ventricles and lesions may be 0."""
    # Not to a face: in the first and last slice of a slab, ventricles lie open.
    hollows, count = ndimage.label(~solid)
    outside = np.zeros(count + 1, bool)
    outside[np.unique(hollows[frame])] = True
    outside[0] = False
    return ~outside[hollows]
