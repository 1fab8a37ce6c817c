"""The box of MNI space that phantoms fill, and smooth random fields over it."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.ndimage import gaussian_filter

# The template's brain with 10 mm to spare, so that a deformed one still fits; mm.
LOWER = np.array([-90.0, -126.0, -84.0])
UPPER = np.array([90.0, 90.0, 96.0])


@final
@dataclass(frozen=True)
class Box:
    """A grid of voxels of one size over the box, in RAS order."""

    spacing: float  # mm

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along X, Y and Z; at 2 mm 91, 109, 91."""
        sizes = [round(length / self.spacing) + 1 for length in UPPER - LOWER]
        return (sizes[0], sizes[1], sizes[2])

    @property
    def affine(self) -> np.ndarray:
        """Voxel to MNI millimetres, [4, 4]."""
        affine = np.diag([self.spacing, self.spacing, self.spacing, 1.0])
        affine[:3, 3] = LOWER
        return affine

    @cached_property
    def axes(self) -> tuple[np.ndarray, ...]:
        """Millimetres of the voxel centres along each axis."""
        return tuple(
            (start + self.spacing * np.arange(size)).astype(np.float32)
            for start, size in zip(LOWER, self.shape, strict=True)
        )

    def stretch(self, lattice: np.ndarray, step: float) -> np.ndarray:
        """Interpolate `lattice` [..., x, y, z] with nodes `step` mm apart to [..., X, Y, Z]."""
        for axis, (start, places) in enumerate(zip(LOWER, self.axes, strict=True), start=-3):
            position = (places - start) / step
            first = np.clip(position.astype(int), 0, lattice.shape[axis] - 2)
            share = np.clip(position - first, 0, 1).astype(np.float32)
            share = share.reshape(-1, *[1] * (-1 - axis))
            near, far = lattice.take(first, axis), lattice.take(first + 1, axis)
            lattice = near + share * (far - near)
        return lattice


def lattice_shape(step: float) -> tuple[int, ...]:
    """Nodes along each axis of a lattice that covers the box, `step` mm apart."""
    return tuple(int(np.ceil(length / step)) + 1 for length in UPPER - LOWER)


def smooth_lattice(random: np.random.Generator, scale: float, step: float) -> np.ndarray:
    """Gaussian noise blurred by `scale` mm, of deviation 1, on nodes `step` mm apart."""
    sigma = scale / step
    margin = int(np.ceil(3 * sigma))  # drawn and cut off, else the box's rim would vary less
    shape = [size + 2 * margin for size in lattice_shape(step)]
    noise = random.standard_normal(shape, dtype=np.float32)
    inner = tuple(slice(margin, size - margin) for size in shape)
    smooth = gaussian_filter(noise, sigma, mode="wrap", truncate=3.0)[inner]
    # White noise blurred by a Gaussian of sigma nodes keeps this deviation in three dimensions.
    return (smooth * np.float32((2 * np.sqrt(np.pi) * sigma) ** 1.5)).astype(np.float32)
