"""How lesions look: changes of the signal, on the scale of the brain's own contrast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.ndimage import gaussian_filter

from slicenet.phantom.lesions import Lesion, fade

CHANGES = (0.8, 2.0)  # of bright, dark and core, in interquartile ranges of the brain
GRAIN = 0.12  # deviation of the texture within every lesion, in interquartile ranges
GRAIN_SCALE = 1.5  # mm
DONORS = 12  # places tried for a transplant; the one that differs most is taken
NEAREST, FARTHEST = 20.0, 60.0  # mm from which tissue is transplanted
Patch = tuple[slice, ...]


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """Co-registered images of one brain before any lesion."""

    images: np.ndarray  # [M, X, Y, Z] float32
    brain: np.ndarray  # [X, Y, Z] bool
    spacing: np.ndarray  # [3] mm
    polarities: tuple[int, ...]  # of each image: -1 where water is dark, 1 where it is bright

    @property
    def signs(self) -> np.ndarray:
        """1 for images that look like the first, -1 for those the other way round, [M, 1, 1, 1]."""
        signs = np.array(self.polarities, np.float32) * self.polarities[0]
        return signs.reshape(-1, 1, 1, 1)

    def quantile(self, share: float) -> np.ndarray:
        """Signals that `share` of the brain stays below, [M, 1, 1, 1]."""
        inside = self.images[:, self.brain]
        return np.quantile(inside, share, axis=1).astype(np.float32).reshape(-1, 1, 1, 1)


def paint(
    random: np.random.Generator, scene: Scene, lesions: Sequence[Lesion], strength: float
) -> np.ndarray:
    """The images of `scene` with lesions; equal to them wherever all lesions' weights are 0.

    Kinds say how the first image looks.
    """
    painted = scene.images.copy()
    contrast = scene.signs * (scene.quantile(0.75) - scene.quantile(0.25))
    floor = scene.quantile(0.02)
    for lesion in lesions:
        weight = lesion.weight
        patch = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(weight))
        before = painted[:, *patch]
        change = LOOKS[lesion.kind](random, scene, lesion, patch, contrast)
        grain = _noise(random, scene, patch, GRAIN_SCALE)
        change = strength * weight[patch] * (change + GRAIN * contrast * grain)
        # Lesions are not darker than the darkest tissue.
        after = np.maximum(before + change, np.minimum(before, floor))
        painted[:, *patch] = np.where(weight[patch] > 0, after, before)
    return painted


def _brighter(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    return random.uniform(*CHANGES) * contrast


def _darker(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    return -random.uniform(*CHANGES) * contrast


def _rougher(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    """Texture of another grain around a signal that hardly changes."""
    scale, mean = random.uniform(1.5, 4.0), random.uniform(-0.5, 0.5)
    noise = _noise(random, scene, patch, scale)
    return (mean + random.uniform(1.0, 1.8) * noise) * contrast


def _other_tissue(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    """The even signal of fluid or of grey matter."""
    share = float(random.choice([0.06, 0.35]))
    level = np.where(scene.signs > 0, scene.quantile(share), scene.quantile(1 - share))
    return random.uniform(0.7, 1.0) * (level - scene.images[:, *patch])


def _transplant(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    """Tissue of the same brain from elsewhere, turned round: well formed, in the wrong place."""
    here = scene.images[:, *patch]
    weight = lesion.weight[patch]
    change = np.zeros_like(here)
    for _ in range(DONORS):
        there = _elsewhere(random, scene, patch)
        tissue = np.flip(scene.images[:, *there], (1, 2, 3))
        taken = np.flip(scene.brain[there], (0, 1, 2)) & scene.brain[patch]
        candidate = np.where(taken, tissue - here, 0)  # off the brain there is none to take
        if (weight * np.abs(candidate)).sum() > (weight * np.abs(change)).sum():
            change = candidate
    return change


def _elsewhere(random: np.random.Generator, scene: Scene, patch: Patch) -> Patch:
    """A patch of the same size some way off."""
    way = random.standard_normal(3)
    way = way / np.linalg.norm(way) * random.uniform(NEAREST, FARTHEST) / scene.spacing
    places = []
    for part, step, size in zip(patch, np.rint(way), scene.brain.shape, strict=True):
        length = part.stop - part.start
        start = min(max(part.start + int(step), 0), size - length)
        places.append(slice(start, start + length))
    return tuple(places)


def _rimmed(
    random: np.random.Generator, scene: Scene, lesion: Lesion, patch: Patch, contrast: np.ndarray
) -> np.ndarray:
    """A core in a rim of the other direction or of a weaker change, as oedema makes it."""
    width = random.uniform(0.25, 0.5) * lesion.radius
    core = fade(lesion.depth[patch] - np.float32(width), lesion.edge)
    rim = random.choice([-1.0, 1.0]) * random.uniform(0.5, 1.0)
    middle = random.choice([-1.0, 1.0]) * random.uniform(*CHANGES)
    return (rim + (middle - rim) * core) * contrast


Look = Callable[[np.random.Generator, Scene, Lesion, Patch, np.ndarray], np.ndarray]
LOOKS: Mapping[str, Look] = {
    "bright": _brighter,
    "dark": _darker,
    "textured": _rougher,
    "tissue": _other_tissue,
    "transplant": _transplant,
    "rim": _rimmed,
}


def _noise(random: np.random.Generator, scene: Scene, patch: Patch, scale: float) -> np.ndarray:
    """Noise of deviation about 1 over a patch, blurred by `scale` mm."""
    size = [part.stop - part.start for part in patch]
    noise = random.standard_normal(size, dtype=np.float32)
    smooth = gaussian_filter(noise, scale / scene.spacing, mode="wrap", truncate=3.0)
    return smooth / max(float(smooth.std()), 1e-6)
