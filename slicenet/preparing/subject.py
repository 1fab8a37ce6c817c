"""One case on its way: read, aligned, judged, and written to a BIDS derivative."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import SimpleITK as sitk

from slicenet import __version__, files
from slicenet.cohort import Case
from slicenet.errors import SlicenetError, VolumeError
from slicenet.images.brain import find_brain
from slicenet.images.geometry import PICTURE
from slicenet.images.grid import Grid
from slicenet.images.image import Image, read_image, read_mask
from slicenet.images.options import ReadOptions
from slicenet.images.pairs import parts_of
from slicenet.images.write import write_map, write_mask
from slicenet.mni import SPACE, average
from slicenet.preparing.aligning import Aligned, align
from slicenet.preparing.external import strip
from slicenet.preparing.gain import without_gain
from slicenet.preparing.itk import squared, transform_of
from slicenet.preparing.naming import Names
from slicenet.preparing.picture import picture
from slicenet.preparing.placing import onto
from slicenet.preparing.quality import Quality, judge
from slicenet.preparing.registering import find_sequence
from slicenet.preparing.settings import PrepareSettings

GOOD, FLAGGED, FAILED = "ok", "flagged", "failed"


@final
@dataclass(frozen=True)
class Task:
    """All that it takes to prepare one case, here or in another process."""

    case: Case
    names: Names
    options: ReadOptions
    settings: PrepareSettings

    @property
    def sources(self) -> list[dict[str, str]]:
        """Every file that decides the outcome, by name and SHA-256."""
        paths = (*self.case.files, *(parts_of(self.case.truth) if self.case.truth else ()))
        return [{"name": path.name, "sha256": files.digest(path)} for path in paths]

    @property
    def made_by(self) -> dict[str, Any]:
        """Everything else that decides it."""
        marked = {"labels": list(self.case.labels)} if self.case.labels else {}
        return {"version": __version__, **asdict(self.options), **asdict(self.settings), **marked}

    def row(self) -> dict[str, Any] | None:
        """What is known of a case that is whole already, and would come out the same."""
        record = files.read_json(self.names.sidecar).get("slicenet", {})
        same = record.get("made_by") == self.made_by
        whole = all(path.is_file() for path in self.results())
        return record["row"] if same and whole and record["sources"] == self.sources else None

    def results(self) -> Iterator[Path]:
        """The files of a case that was passed on."""
        for index in range(len(self.case.images)):
            yield self.names.image(index)
            yield self.names.transform(index, SPACE)
        yield from (self.names.sidecar, self.names.mask("desc-brain"), self.names.picture)
        if self.case.truth:
            yield self.names.mask("label-lesion")


def prepare_case(task: Task) -> dict[str, Any]:
    """Write the files of a case; its row of the table, which also tells what went wrong."""
    began = time.monotonic()
    # The truth may have gone since; what is left of it would count as this scan's.
    for path in (*task.results(), task.names.mask("label-lesion")):
        files.remove(path)
    try:
        row = _prepared(task, began)
    except SlicenetError as error:
        row = {"status": FAILED, "reason": str(error), "code": error.code}
    return {"name": task.case.name, **row, "seconds": round(time.monotonic() - began, 1)}


def lost_case(task: Task, error: SlicenetError) -> dict[str, Any]:
    """The row of a case whose process died."""
    return {"name": task.case.name, "status": FAILED, "reason": str(error), "code": error.code}


def _prepared(task: Task, began: float) -> dict[str, Any]:
    """Write what is good, and of what is not only a picture and why."""
    case, names, grid = task.case, task.names, task.settings.grid
    first = read_image(case.images[0], task.options)
    if first.space == PICTURE:
        text = f"{case.name}: a picture has no place in a brain's space"
        raise VolumeError(text, "E_FLAT", "train and score take pictures as they are")
    brain, method = _brain(task, first)
    values, affine = first.grid.to_ras(first.voxels), first.grid.ras_affine
    aligned = align(values, affine, None if brain is None else first.grid.to_ras(brain))
    quality = _judged(aligned, affine)
    inside = onto(aligned.brain, aligned.to_voxels, grid) > 0.5
    head = onto(aligned.values, aligned.to_voxels, grid)
    doubts = "; ".join(quality.doubts())
    expected = onto(average().brain, np.linalg.inv(average().affine), grid) > 0.5
    title = f"{case.name}: {doubts or f'similarity {quality.similarity:.2f}'}"
    files.write_bytes(names.picture, picture(head, inside, expected, grid.affine, title))
    row = {
        "status": FLAGGED if doubts else GOOD, "method": method, **asdict(quality),
        "brain_ml": float(aligned.brain.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000),
        "reason": doubts, "code": "E_REGISTRATION" if doubts else "",
    }  # fmt: skip
    if doubts:
        return row
    _write_sequence(task, 0, np.where(inside, head, 0), affine @ aligned.to_voxels)
    for index, path in enumerate(case.images[1:], start=1):
        other, way = _follow(aligned, affine, read_image(path, task.options))
        _write_sequence(task, index, np.where(inside, onto(other, way[0], grid), 0), way[1])
    write_mask(names.mask("desc-brain"), inside, grid)
    if case.truth:
        stored, _ = read_mask(case.truth, first.grid, task.options, case.labels)
        lesion = onto(first.grid.to_ras(stored), aligned.to_voxels, grid) > 0.5
        write_mask(names.mask("label-lesion"), lesion, grid)
    whole = {"name": case.name, **row, "seconds": round(time.monotonic() - began, 1)}
    files.write_json(names.sidecar, _sidecar(task, first, aligned, whole))
    return row


def _brain(task: Task, image: Image) -> tuple[np.ndarray | None, str]:
    """The brain as stored and who found it; none where the average brain has to tell."""
    if task.case.mask:
        return read_mask(task.case.mask, image.grid, task.options)[0], "given"
    if task.settings.skull_strip:
        return strip(task.settings.skull_strip, task.case.images[0], image.grid), "tool"
    try:
        return find_brain(image, task.case.images[0].name), "stripped before"
    except VolumeError as error:
        if error.code != "E_SKULL":
            raise
        return None, "average brain"


def _judged(aligned: Aligned, affine: np.ndarray) -> Quality:
    template = average()
    grid = Grid(template.t1.shape, template.affine)
    brain = onto(aligned.brain, aligned.to_voxels, grid) > 0.5
    voxels = onto(aligned.values, aligned.to_voxels, grid)
    return judge(voxels, brain, affine @ aligned.to_voxels, template)


def _follow(
    first: Aligned, affine: np.ndarray, other: Image
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Another sequence of the same head: its values, and from MNI mm to its voxels and its mm."""
    values, place = other.grid.to_ras(other.voxels), squared(other.grid.ras_affine)
    even = without_gain(values - min(float(values.min()), 0), place, None)
    fixed = squared(affine)
    to_other = find_sequence(first.values, fixed, first.brain, even, place)
    to_voxels = np.linalg.inv(place) @ to_other @ fixed @ first.to_voxels
    return even, (to_voxels, other.grid.ras_affine @ to_voxels)


def _write_sequence(task: Task, index: int, brain: np.ndarray, matrix: np.ndarray) -> None:
    write_map(task.names.image(index), brain.astype(np.float32), task.settings.grid)
    with files.replacing(task.names.transform(index, SPACE)) as temporary:
        sitk.WriteTransform(transform_of(matrix), str(temporary))


def _sidecar(task: Task, first: Image, aligned: Aligned, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "Description": "brain of even gain, registered by an affine",
        "SkullStripped": True,
        "SpatialReference": SPACE,
        "slicenet": {
            "made_by": task.made_by,
            "sources": task.sources,
            "native": {
                "shape": list(first.grid.shape),
                "affine": first.grid.affine.tolist(),
                "to_voxels": aligned.to_voxels.tolist(),  # MNI mm to voxels of it in RAS order
            },
            "row": row,
        },
    }
