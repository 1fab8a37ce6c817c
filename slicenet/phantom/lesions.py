"""Which lesions a brain gets: how many, of which kind, how large and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from scipy.ndimage import uniform_filter

from slicenet.phantom.outlines import draw_outline, read_outline
from slicenet.phantom.settings import PhantomSettings

WITHIN = 0.8  # share of the cube around a lesion that must be brain
ELSEWHERE = 0.15  # how likely a lesion lies outside white matter, as a share of inside


@final
@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion on the grid of its image."""

    kind: str  # one of KINDS
    depth: np.ndarray  # [X, Y, Z] float32, mm inside the outline; negative outside, and off brain
    edge: float  # mm over which it fades, to either side of its outline
    centre: tuple[float, float, float]  # mm, world
    radius: float  # mm, of the ball of its volume

    @property
    def weight(self) -> np.ndarray:
        """How much each voxel is lesion, 0..1: exactly 0 and 1 beyond the edge."""
        return fade(self.depth, self.edge)

    @property
    def truth(self) -> np.ndarray:
        """Voxels of which half or more is lesion, bool."""
        return self.depth >= 0


@final
@dataclass(frozen=True, eq=False)
class Place:
    """What lesions are put into."""

    brain: np.ndarray  # [X, Y, Z] bool
    affine: np.ndarray  # [4, 4] voxel to world, mm
    to_mni: np.ndarray  # [4, 4] world to MNI, mm
    white: np.ndarray  # [X, Y, Z] share of white matter; all 1 where nobody knows


def plan_lesions(
    random: np.random.Generator, settings: PhantomSettings, place: Place, shapes: Sequence[Path]
) -> tuple[Lesion, ...]:
    """Draw the lesions of one brain; a file of `shapes`, if any, gives shape and place of one."""
    if shapes:
        depth = read_outline(random, shapes, place.brain, place.affine, place.to_mni)
        return (_lesion(random, settings, place, depth),)
    return tuple(
        _lesion(random, settings, place, _grow(random, settings, place))
        for _ in range(random.integers(1, settings.most_lesions + 1))
    )


def join_truths(lesions: Sequence[Lesion], brain: np.ndarray) -> np.ndarray:
    """Voxels that belong to any lesion, bool on the grid of `brain`."""
    truth = np.zeros_like(brain)
    for lesion in lesions:
        truth |= lesion.truth
    return truth


def fade(depth: np.ndarray, edge: float) -> np.ndarray:
    """From exactly 0 at `edge` mm outside to exactly 1 at `edge` mm inside, smoothly."""
    ramp = np.clip(depth / np.float32(2 * edge) + np.float32(0.5), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _grow(random: np.random.Generator, settings: PhantomSettings, place: Place) -> np.ndarray:
    spacing = np.linalg.norm(place.affine[:3, :3], axis=0)
    # A lesion smaller than a voxel would have no truth.
    least = max(settings.smallest, float(spacing.max()))
    logarithm = random.uniform(np.log(least), np.log(max(settings.largest, least)))
    radius = float(np.exp(logarithm))
    centre = _choose_centre(random, place, np.maximum(2 * radius / spacing, 1))
    depth = draw_outline(random, place.affine, place.brain.shape, centre, radius)
    return np.where(place.brain, depth, -np.inf).astype(np.float32)


def _choose_centre(random: np.random.Generator, place: Place, size: np.ndarray) -> np.ndarray:
    """A voxel of the brain with brain around it, in a box of `size` voxels; white if it can be."""
    surrounded = uniform_filter(place.brain.astype(np.float32), np.rint(size), mode="constant")
    inside = surrounded[place.brain]
    # The largest lesions fit nowhere whole: then wherever most of them fits.
    fits = inside >= min(WITHIN, 0.95 * inside.max())
    wanted = np.where(fits, ELSEWHERE + (1 - ELSEWHERE) * place.white[place.brain], 0)
    total = np.cumsum(wanted, dtype=np.float64)
    chosen = np.searchsorted(total, random.uniform(0, total[-1]), side="right")
    return np.argwhere(place.brain)[min(chosen, len(total) - 1)]


def _lesion(
    random: np.random.Generator, settings: PhantomSettings, place: Place, depth: np.ndarray
) -> Lesion:
    inside = np.argwhere(depth >= 0)
    centre = place.affine[:3, :3] @ inside.mean(0) + place.affine[:3, 3]
    volume = len(inside) * abs(np.linalg.det(place.affine[:3, :3]))
    radius = float((volume * 3 / (4 * np.pi)) ** (1 / 3))
    kind = settings.kinds[random.integers(len(settings.kinds))]
    edge = min(float(random.uniform(1.0, 4.0)), 0.6 * radius)
    return Lesion(kind, depth, edge, (centre[0], centre[1], centre[2]), radius)
