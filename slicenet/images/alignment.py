"""Two grids side by side: how far apart they lie, and the way from one to the other."""

from typing import NamedTuple

import nibabel as nib
import numpy as np

from slicenet.images.claim import by
from slicenet.images.grid import Grid

TOLERANCE = 1e-3  # mm between corners of the same grid
PROPERTIES = ("shape", "axes", "spacing mm", "origin mm")


class Difference(NamedTuple):
    """How one grid lies to another."""

    millimetres: float  # between the corners that are farthest apart
    degrees: float  # between the axes
    mirrored: bool


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same voxels in the same places."""
    return one.shape == other.shape and one.corner_distance(other) <= TOLERANCE


def difference(one: Grid, other: Grid) -> Difference:
    """How far apart two grids lie, whatever the order of their axes."""
    _, other = reordered_like(np.broadcast_to(np.float32(0), other.shape), other, one)
    u, _, v = np.linalg.svd(_axes(one).T @ _axes(other))
    turn = u @ v
    mirrored = np.linalg.det(turn) < 0
    cosine = (np.trace(turn if not mirrored else -turn) - 1) / 2
    degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return Difference(one.corner_distance(other), degrees, bool(mirrored))


def apart(one: Grid, other: Grid) -> str:
    """The distance and the angle between two grids, in words."""
    millimetres, degrees, mirrored = difference(one, other)
    mirror = ", one is mirrored" if mirrored else ""
    return f"corners lie {millimetres:.4g} mm apart, axes {degrees:.3g} degrees{mirror}"


def table(one: Grid, other: Grid, names: tuple[str, str]) -> str:
    """How two grids lie apart: a sentence, then a line for each property that tells them apart."""
    rows = [("", *names), *zip(PROPERTIES, _properties(one), _properties(other), strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n    ".join([apart(one, other), *lines])


def reordered_like(stored: np.ndarray, grid: Grid, like: Grid) -> tuple[np.ndarray, Grid]:
    """The same voxels with their axes in the order and direction of `like`, exactly."""
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(grid.affine), nib.orientations.io_orientation(like.affine)
    )
    turned = nib.orientations.apply_orientation(stored, turn)
    affine = grid.affine @ nib.orientations.inv_ornt_aff(turn, grid.shape)
    x, y, z = turned.shape
    return turned, Grid((x, y, z), affine, grid.header)


def nearest(stored: np.ndarray, grid: Grid, like: Grid) -> np.ndarray:
    """The voxel of `stored` nearest to each voxel of `like`, [X, Y, Z]; 0 outside its box."""
    to_stored = np.linalg.inv(grid.affine) @ like.affine
    taken = np.zeros(like.shape, stored.dtype)
    x, y = np.ogrid[: like.shape[0], : like.shape[1]]
    for z in range(like.shape[2]):
        places = [np.rint(row[0] * x + row[1] * y + row[2] * z + row[3]) for row in to_stored[:3]]
        inside = np.logical_and.reduce(
            [(place >= 0) & (place < size) for place, size in zip(places, grid.shape, strict=True)]
        )
        found = tuple(place[inside].astype(np.intp) for place in places)
        taken[..., z][inside] = stored[found]
    return taken


def _axes(grid: Grid) -> np.ndarray:
    return grid.affine[:3, :3] / grid.spacing


def _properties(grid: Grid) -> tuple[str, str, str, str]:
    return (
        by(grid.shape),
        "".join(nib.aff2axcodes(grid.affine)),
        " ".join(f"{width:.4g}" for width in grid.spacing),
        " ".join(f"{place:.4g}" for place in grid.affine[:3, 3]),
    )
