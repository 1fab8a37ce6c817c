"""The layers of a case from its files; what cannot be had is said, not guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from slicenet import files
from slicenet.cohort import Case
from slicenet.errors import Notice, SlicenetError
from slicenet.images.alignment import reordered_like, same_grid
from slicenet.images.grid import Grid
from slicenet.images.image import read_mask
from slicenet.images.options import ReadOptions
from slicenet.images.printable import printable
from slicenet.images.stored import read_stored
from slicenet.metrics.truths import Truths
from slicenet.report.folder import Entry
from slicenet.report.volumes import Layers


@final
@dataclass(frozen=True)
class Sources:
    """Where images and truths are looked for."""

    folder: Path  # of the output, from which recorded paths go
    images: Mapping[str, Case] = field(default_factory=dict)  # by name of the case
    truths: Truths = Truths({})
    options: ReadOptions = ReadOptions()


def read_layers(entry: Entry, sources: Sources) -> tuple[Layers, tuple[Notice, ...]]:
    """The map and its brain, the image that it was made from, and the truth where it is known."""
    options = sources.options
    stored = read_stored(entry.file.heatmap, ReadOptions(max_voxels=options.max_voxels))
    grid = stored.place.grid
    scores = np.ascontiguousarray(grid.to_ras(stored.voxels))
    brain = scores != 0
    if entry.file.brain and entry.file.brain.is_file():
        brain = _mask(entry.file.brain, grid, options)
    brain &= np.isfinite(scores)
    image, said = _image(entry, sources, grid)
    truth, told = _truth(entry, sources, grid)
    scores = np.where(brain, scores, 0).astype(np.float32)
    return Layers(scores, brain, grid.ras_affine, image, truth), (*said, *told)


def _image(
    entry: Entry, sources: Sources, grid: Grid
) -> tuple[np.ndarray | None, tuple[Notice, ...]]:
    """The first image in RAS order; none if it is not there, or not what was scored."""
    path = _place(entry, sources)
    if path is None or not path.is_file():
        named = printable(path or entry.sidecar["sources"][0]["file"])
        return None, (_lacking(f"{named} is not there any more; name its place with --images"),)
    if files.digest(path) != entry.sidecar["sources"][0]["sha256"]:
        return None, (_lacking(f"{printable(path)} is not what was scored: its SHA-256 differs"),)
    try:
        stored = read_stored(path, sources.options)
    except (SlicenetError, OSError) as error:
        return None, (_lacking(f"{printable(path)}: {printable(error)}"),)
    voxels, turned = reordered_like(stored.voxels, stored.place.grid, grid)
    if not same_grid(grid, turned):
        return None, (_lacking(f"{printable(path)} lies on another grid than its map"),)
    return np.nan_to_num(grid.to_ras(voxels), posinf=0, neginf=0), ()


def _place(entry: Entry, sources: Sources) -> Path | None:
    """Where the first image lies: as named now, else as it was when it was scored."""
    case = sources.images.get(entry.file.name)
    if case is not None:
        return case.files[0]
    recorded: Sequence[Mapping[str, str]] = entry.sidecar.get("sources", [])
    if not recorded or "path" not in recorded[0]:
        return None
    return sources.folder / recorded[0]["path"]


def _truth(
    entry: Entry, sources: Sources, grid: Grid
) -> tuple[np.ndarray | None, tuple[Notice, ...]]:
    path = sources.truths.masks.get(entry.file.name)
    if path is None:
        return None, ()
    labels = sources.truths.labels.get(entry.file.name, ())
    try:
        return _mask(path, grid, sources.options, labels), ()
    except (SlicenetError, OSError) as error:
        return None, (Notice("W_TRUTH", f"no truth is shown: {printable(error)}"),)


def _mask(path: Path, grid: Grid, options: ReadOptions, labels: Sequence[int] = ()) -> np.ndarray:
    # A mask is one volume, whichever of the image's was taken.
    own = ReadOptions(max_voxels=options.max_voxels, assume_ras=options.assume_ras,
                      resample_mask=options.resample_mask)  # fmt: skip
    stored, _ = read_mask(path, grid, own, labels)
    return np.array(grid.to_ras(stored), order="C")


def _lacking(why: str) -> Notice:
    return Notice("W_NO_IMAGE", f"the map is shown without its image: {why}")
