"""A brain to measure with, in the box that SimpleSliceNet was published for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as serialize

from slicenet import files
from slicenet.errors import ConfigError
from slicenet.phantom.template import BRAIN, GREY, TEXTURE, WHITE, load_template
from slicenet.volume import Volume

# Axial slices 24 to 119 of MNI's 182 x 218 x 182 mm grid, its middle 192 x 192 mm of each.
CENTRE = (-0.5, -17.5)  # mm of MNI, across and along
LOWEST = -48.0  # mm of MNI, the middle of the lowest slice
DEPTH = 96.0  # mm from the lowest slice to the end of the highest
WIDTH = 192.0  # mm
SHADES = (0.3, 0.6, 0.9)  # T1: cerebrospinal fluid, grey and white matter


@dataclass(frozen=True)
class SubjectSettings:
    """Settings of `subject`."""

    pixels: int = 192  # along an edge of a slice
    slices: int = 96
    template: str = "auto"  # nilearn's average brain, or one drawn by formula where that lacks

    def __post_init__(self) -> None:
        if self.pixels < 32 or self.pixels % 16 or self.slices < 3 or self.slices % 3:
            raise ConfigError("pixels must be whole sixteens, slices whole threes", "E_SETTING")


def subject(settings: SubjectSettings) -> Volume:
    """The average brain as a T1 at median 0 and quartile range 1; finer slices of the same part."""
    edge, thickness = WIDTH / settings.pixels, DEPTH / settings.slices
    steps = np.arange(settings.pixels) - (settings.pixels - 1) / 2
    across, along = (edge * steps + middle for middle in CENTRE)
    up = LOWEST - 0.5 + thickness * (np.arange(settings.slices) + 0.5)
    places = np.stack(np.meshgrid(across, along, up, indexing="ij")).astype(np.float32)
    maps = load_template(settings.template, min(edge, 1.0)).at(places, slice(None))
    brain = maps[BRAIN] > 0.5
    voxels = _intensities(maps)
    low, middle, high = np.quantile(voxels[brain], [0.25, 0.5, 0.75])
    framed = (voxels - middle) / (high - low) * brain
    affine = np.diag([edge, edge, thickness, 1.0])
    affine[:3, 3] = across[0], along[0], up[0]
    return Volume(
        torch.from_numpy(framed.astype(np.float32))[None], torch.from_numpy(brain), affine,
        "average", True,
    )  # fmt: skip


def keep(volume: Volume, file: Path) -> None:
    """Write a subject for another process, which then need not make it."""
    affine = torch.from_numpy(volume.affine)
    held = {"voxels": volume.voxels, "brain": volume.brain, "affine": affine}
    files.write_bytes(file, serialize(held))


def bring(file: Path) -> Volume:
    """The subject that `keep` wrote."""
    held = files.load_tensors(file)
    return Volume(held["voxels"], held["brain"], held["affine"].numpy(), "average", True)


def _intensities(maps: np.ndarray) -> np.ndarray:
    grey, white = maps[GREY], maps[WHITE]
    fluid = (1 - grey - white).clip(0)
    return (fluid * SHADES[0] + grey * SHADES[1] + white * SHADES[2]) * (1 + maps[TEXTURE])
