"""A map in MNI space, back on the grid of the scan that was prepared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from slicenet import files
from slicenet.errors import VolumeError
from slicenet.images.grid import Grid
from slicenet.images.printable import printable
from slicenet.resampling import sample
from slicenet.scoring import AnomalyMap

RECORD = "slicenet"  # of the sidecar that `prepare` writes


def to_native(anomalies: AnomalyMap, image: Path) -> AnomalyMap:
    """The map on the grid of the scan that `image` was prepared from, as its sidecar tells."""
    grid, to_voxels = _origin(image)
    volume = anomalies.volume
    to_prepared = np.linalg.inv(to_voxels @ volume.affine)  # voxels of the scan, in RAS order
    shape = _ras_shape(grid)
    brain = volume.brain.float()
    # Of the brain alone, so that a map does not fade towards its rim.
    both = sample(torch.stack((anomalies.scores * brain, brain)), to_prepared, shape)
    inside = both[1] >= 0.5
    if not inside.any():
        raise VolumeError(f"{volume.name}: no brain within its own scan", "E_NATIVE")
    scores = both[0] / both[1].clamp(min=0.5) * inside
    own = replace(
        volume, voxels=scores[None], brain=inside, affine=grid.ras_affine, stored=grid,
        in_template_space=False,
    )  # fmt: skip
    return replace(anomalies, scores=scores, volume=own)


def _origin(image: Path) -> tuple[Grid, np.ndarray]:
    """The grid of the scan, and MNI millimetres to its voxels in RAS order."""
    name = image.name.removesuffix(".gz").removesuffix(".nii")
    native = files.read_json(image.with_name(f"{name}.json")).get(RECORD, {}).get("native")
    try:
        x, y, z = native["shape"]
        affine, to_voxels = (np.array(native[key], float) for key in ("affine", "to_voxels"))
    except (KeyError, TypeError, ValueError):
        raise VolumeError(
            f"{printable(image)}: nothing beside it tells which scan it comes from", "E_NATIVE",
            "`slicenet prepare SCAN OUT` writes that; without it leave out --native",
        ) from None  # fmt: skip
    return Grid((x, y, z), affine), to_voxels


def _ras_shape(grid: Grid) -> tuple[int, int, int]:
    x, y, z = grid.to_ras(np.empty(grid.shape, bool)).shape
    return x, y, z
