"""The average brain that phantoms are deformed from: tissue fractions in MNI space."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from slicenet.errors import ConfigError, Notice
from slicenet.mni import average
from slicenet.phantom.procedural import draw_brain

GREY, WHITE, BRAIN, TEXTURE = range(4)  # channels of `Template.maps`
MISSING = Notice(
    "W_TEMPLATE", "nilearn and its brain template are not installed: phantoms are drawn by formula"
)


@final
@dataclass(frozen=True, eq=False)
class Template:
    """Maps of the average brain; values outside the grid are 0."""

    maps: Tensor  # [4, X, Y, Z] float32: grey, white, brain in 0..1; texture around 0
    affine: np.ndarray  # [4, 4] voxel to MNI mm, without rotation
    notices: tuple[Notice, ...] = ()

    def at(self, places: np.ndarray, channels: slice) -> np.ndarray:
        """Channels at MNI millimetres `places` [3, ...]: [channels, ...]."""
        scale = np.diag(self.affine)[:3] * (np.array(self.maps.shape[1:]) - 1) / 2
        start = self.affine[:3, 3] / scale + 1
        flat = places.reshape(3, -1)
        grid = np.stack([flat[a] / np.float32(scale[a]) - np.float32(start[a]) for a in (2, 1, 0)])
        columns = torch.from_numpy(np.ascontiguousarray(grid.T))[None, None, None]
        taken = F.grid_sample(self.maps[None, channels], columns, align_corners=True)
        return taken.numpy().reshape(-1, *places.shape[1:])


@lru_cache(maxsize=2)
def load_template(name: str, spacing: float) -> Template:
    """The template `name` (one of TEMPLATES), blurred for sampling every `spacing` mm."""
    notices: tuple[Notice, ...] = ()
    if name == "procedural":
        maps, affine = draw_brain()
    else:
        try:
            maps, affine = _read_average()
        except (ImportError, OSError) as error:
            if name != "auto":
                message = "nilearn's brain template cannot be read"
                raise ConfigError(message, "E_TEMPLATE", "pip install nilearn") from error
            maps, affine = draw_brain()
            notices = (MISSING,)
    return Template(torch.from_numpy(_blurred(maps, affine, spacing)), affine, notices)


def _read_average() -> tuple[np.ndarray, np.ndarray]:
    found = average()
    brain = found.brain.astype(np.float32)
    texture = _texture(found.t1, found.grey, found.white)
    return np.stack([found.grey * brain, found.white * brain, brain, texture]), found.affine


def _texture(values: np.ndarray, grey: np.ndarray, white: np.ndarray) -> np.ndarray:
    """What the tissue fractions do not explain of the T1 template, as a share of it."""
    inside = values > 0
    fractions = np.stack([grey, white, 1 - grey - white], -1)[inside]
    means = np.linalg.solve(fractions.T @ fractions, fractions.T @ values[inside])
    means = means.round(4)  # the last bits of a sum change with the number of threads
    texture = np.zeros_like(values)
    # Averaged sulci lie far off any mixture of three tissues: half of that is plenty.
    texture[inside] = np.clip(values[inside] / (fractions @ means) - 1, -0.3, 0.3)
    return texture


def _blurred(maps: np.ndarray, affine: np.ndarray, spacing: float) -> np.ndarray:
    # SciPy's blur, not ours: matrix products change in the last bit with the number of threads.
    edges = np.diag(affine)[:3]
    sigmas = [0.4 * np.sqrt(max(spacing**2 - edge**2, 0)) / edge for edge in edges]
    return np.stack([gaussian_filter(one, sigmas, truncate=3.0) for one in maps])
