"""A file of voxels in memory, checked, and the masks that belong to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from slicenet.errors import Notice, VolumeError
from slicenet.images.alignment import apart, nearest, reordered_like, same_grid, table
from slicenet.images.geometry import PICTURE
from slicenet.images.grid import Grid
from slicenet.images.intensity import check_intensities
from slicenet.images.nonfinite import fill_nonfinite
from slicenet.images.options import ReadOptions
from slicenet.images.printable import naming, printable
from slicenet.images.stored import Stored, read_stored

LOSSY = (".jpg", ".jpeg")


@final
@dataclass(frozen=True, eq=False)
class Image:
    """One 3D image as its file stores it."""

    voxels: np.ndarray  # [X, Y, Z] float32, scaled, in the file's axis order, finite
    grid: Grid  # with the header of the source, for its codes and units only
    space: str  # "mni", "talairach", "template", "scanner", "aligned", "picture", or "none"
    notices: tuple[Notice, ...]
    digest: str  # SHA-256 of the file's bytes; of both files of a pair


def read_image(path: Path, options: ReadOptions = ReadOptions()) -> Image:
    """Read a NIfTI or MGH file to its end, or say what is wrong with it."""
    with naming(path):
        stored = read_stored(path, options)
        filled = () if stored.extent.finite else fill_nonfinite(stored.voxels)
        doubtful = check_intensities(stored.voxels)
    notices = named(path, (*stored.notices, *filled, *doubtful))
    return Image(stored.voxels, stored.place.grid, stored.place.space, notices, stored.digest)


def read_mask(
    path: Path, like: Grid, options: ReadOptions = ReadOptions(), labels: Sequence[int] = ()
) -> tuple[np.ndarray, tuple[Notice, ...]]:
    """Voxels above 0 (above 0.5 if all lie within 0..1), bool [X, Y, Z] on the grid `like`.

    Where `labels` are named, voxels of these. A picture lies on a grid of its own shape.
    """
    with naming(path):
        stored = read_stored(path, options)
        inside = np.isin(stored.voxels, labels) if labels else _inside(stored, path)
        if stored.place.space == PICTURE and inside.shape == like.shape:
            return inside, ()
        turned, grid = reordered_like(inside, stored.place.grid, like)
        notices = list(stored.notices)
        if not stored.extent.finite:
            notices.append(Notice("W_NONFINITE", "voxels that are NaN count as outside"))
        if same_grid(like, grid):
            return turned, named(path, notices)
        if not options.resample_mask:
            text = table(like, stored.place.grid, ("image", "mask"))
            hint = "bring it there: --resample-mask"
            raise VolumeError(f"lies on another grid than its image: {text}", "E_GRID", hint)
    text = f"was brought to the image's grid: {apart(like, stored.place.grid)}"
    notices.append(Notice("W_RESAMPLED", text))
    return nearest(inside, stored.place.grid, like), named(path, notices)


def named(path: Path, notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The same notices, each saying which file it is about."""
    name = printable(path.name)
    return tuple(replace(notice, message=f"{name}: {notice.message}") for notice in notices)


def _inside(stored: Stored, path: Path) -> np.ndarray:
    if path.suffix.lower() in LOSSY:  # around what is white, black is not quite black
        return stored.voxels > stored.extent.high / 2
    within_unit = stored.extent.low >= 0 and stored.extent.high <= 1
    with np.errstate(invalid="ignore"):
        return stored.voxels > (0.5 if within_unit else 0)
