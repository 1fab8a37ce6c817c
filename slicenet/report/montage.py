"""The strangest slices of a case, small and in colour, as they look without any script."""

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import matplotlib
import numpy as np
from PIL import Image
from scipy import ndimage

from slicenet.report.scale import Scale
from slicenet.report.volumes import Layers

COLOURS = ("inferno", "cividis", "viridis")  # all even in lightness, fit for the colour-blind
OUTLINE = (54, 197, 240)  # of truth: far from every colour of the maps
APART = 8.0  # mm between slices that are shown
SHOWN = 8
STRANGEST = 12  # voxels of a slice whose mean says how strange it is
OPACITY = 0.7


@final
@dataclass(frozen=True)
class Tile:
    """One axial slice as PNG, and the voxel in it that is strangest."""

    place: tuple[int, int, int]
    png: bytes


@lru_cache
def colours(name: str) -> np.ndarray:
    """A colour map as bytes, [256, 3]."""
    return (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def tiles(
    layers: Layers, scale: Scale, window: tuple[float, float], width: int, count: int = SHOWN
) -> list[Tile]:
    """The strangest slices, from the feet up; none nearer to another than `APART` mm."""
    found = []
    for z in sorted(_strangest(layers, count)):
        flat = np.where(layers.brain, layers.scores, -np.inf)[:, :, z]
        x, y = np.unravel_index(int(flat.argmax()), flat.shape)
        found.append(Tile((int(x), int(y), z), _png(layers, scale, window, z, width)))
    return found


def _strangest(layers: Layers, count: int) -> list[int]:
    """Slices by how strange they are, each far enough from those before it."""
    depth = layers.brain.shape[2]
    flat = np.where(layers.brain, layers.scores, -np.inf).reshape(-1, depth)
    top = np.sort(flat, 0)[-STRANGEST:]
    inside = np.isfinite(top)
    means = np.where(inside, top, 0).sum(0) / np.maximum(inside.sum(0), 1)
    means[~inside.any(0)] = -np.inf
    chosen: list[int] = []
    for z in np.argsort(-means, kind="stable"):
        near = any(abs(int(z) - other) * layers.spacing[2] < APART for other in chosen)
        if np.isfinite(means[z]) and not near and len(chosen) < count:
            chosen.append(int(z))
    return chosen


def _png(layers: Layers, scale: Scale, window: tuple[float, float], z: int, width: int) -> bytes:
    # Seen from the feet: the patient's left is on the right, the front at the top.
    size = layers.brain.shape
    x_mm, y_mm, _ = layers.spacing
    shape = (width, max(1, round(width * size[1] * y_mm / (size[0] * x_mm))))
    grey = _grey(layers, window, z)
    shown = Image.fromarray(np.repeat(grey[..., None], 3, -1)).resize(
        shape, Image.Resampling.BICUBIC
    )
    level = np.where(layers.brain, scale.levels(layers.scores), 0)[:, :, z]
    above = layers.brain[:, :, z] & (level > (scale.asked if scale.asked is not None else 0))
    heat = Image.fromarray(colours(COLOURS[0])[_index(level, scale)][::-1, ::-1].swapaxes(0, 1))
    veil = Image.fromarray(_turned(above * np.uint8(round(255 * OPACITY))))
    nearest = Image.Resampling.NEAREST
    shown.paste(heat.resize(shape, nearest), mask=veil.resize(shape, nearest))
    if layers.truth is not None and layers.truth[:, :, z].any():
        drawn = Image.fromarray(_turned(layers.truth[:, :, z] * np.uint8(255)))
        marked = np.asarray(drawn.resize(shape, nearest)) > 0
        edge = Image.fromarray((marked & ~ndimage.binary_erosion(marked)).astype(np.uint8) * 255)
        shown.paste(OUTLINE, mask=edge)
    buffer = io.BytesIO()
    shown.quantize(96).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _grey(layers: Layers, window: tuple[float, float], z: int) -> np.ndarray:
    """The image, or the brain alone in dark grey, as rows and columns."""
    if layers.image is None:
        return _turned(layers.brain[:, :, z] * np.uint8(60))
    grey = (layers.image[:, :, z] - window[0]) / (window[1] - window[0])
    return _turned((np.clip(grey, 0, 1) * 255).round().astype(np.uint8))


def _index(level: np.ndarray, scale: Scale) -> np.ndarray:
    """The place of a level in a colour map, as the viewer has it."""
    return np.clip(level.astype(int) * 255 // len(scale.knots), 0, 255)


def _turned(flat: np.ndarray) -> np.ndarray:
    """A slice [X, Y] as rows from the front, columns from the patient's right."""
    return np.ascontiguousarray(flat[::-1, ::-1].T)
