"""The tissues of one subject: a deformed template with folds, sulci and texture of its own."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.phantom.box import Box, smooth_lattice
from slicenet.phantom.template import BRAIN, GREY, TEXTURE, WHITE, Template

SHARPNESS = 1.8  # exponent of the average's fractions: one brain is crisper than a mean of many
SCALES = ((3.0, 0.5), (12.0, 0.35))  # blur in mm and log-odds by which tissues vary
GRAINS = ((2.5, 0.018), (10.0, 0.02))  # blur in mm and share by which a tissue's signal varies
ATROPHY = (0.5, 0.35)  # mean and deviation of the fluid's log-odds: the average hides thin sulci


@final
@dataclass(frozen=True, eq=False)
class Variation:
    """In what a subject differs from the template beside its shape, in the voxels of its brain."""

    odds: np.ndarray  # [3, N] float32: factors of grey, white, fluid
    grain: np.ndarray  # [N] share by which signals vary


@final
@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissues in the voxels of one brain, in the order of `values[brain]`."""

    brain: np.ndarray  # [X, Y, Z] bool
    fractions: np.ndarray  # [3, N] float32: grey, white, fluid; they add up to 1
    texture: np.ndarray  # [N] the template's own, as a share of the signal
    grain: np.ndarray  # [N] the subject's own, as a share of the signal

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Put [N] values into their voxels, [X, Y, Z] float32; 0 outside the brain."""
        full = np.zeros(self.brain.shape, np.float32)
        full[self.brain] = values
        return full


def find_brain(template: Template, places: np.ndarray) -> np.ndarray:
    """Voxels of which at least half is brain, [X, Y, Z] bool."""
    return template.at(places, slice(BRAIN, TEXTURE))[0] >= 0.5


def draw_variation(random: np.random.Generator, brain: np.ndarray, box: Box) -> Variation:
    """Folds, sulci and texture that are a subject's own."""
    tissues = [np.exp(_noise(random, brain, box, SCALES)) for _ in (GREY, WHITE)]
    fluid = np.exp(_noise(random, brain, box, SCALES) + np.float32(random.normal(*ATROPHY)))
    return Variation(np.stack([*tissues, fluid]), _noise(random, brain, box, GRAINS))


def grow_tissues(
    template: Template, places: np.ndarray, brain: np.ndarray, variation: Variation
) -> Anatomy:
    """Tissues of the voxels in `brain`, which show `places` [3, X, Y, Z] of the template."""
    maps = template.at(places[:, brain], slice(None))
    average = np.stack([maps[GREY], maps[WHITE], maps[BRAIN] - maps[GREY] - maps[WHITE]])
    odds = np.clip(average, 1e-3, 1) ** np.float32(SHARPNESS) * variation.odds
    return Anatomy(brain, odds / odds.sum(0), maps[TEXTURE], variation.grain)


def _noise(
    random: np.random.Generator,
    brain: np.ndarray,
    box: Box,
    octaves: tuple[tuple[float, float], ...],
) -> np.ndarray:
    """Smooth noise in the voxels of the brain, [N]: a sum of (blur in mm, deviation)."""
    total = np.zeros(1, np.float32)
    for scale, deviation in octaves:
        noise = box.stretch(smooth_lattice(random, scale, scale), scale)
        total = total + np.float32(deviation) * noise[brain]
    return total
