"""The files of one subject of a phantom data set."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import nibabel as nib
import numpy as np
import torch

from slicenet import files
from slicenet.cohort import Case
from slicenet.errors import Notice
from slicenet.images.write import storing
from slicenet.phantom.base import add_lesions
from slicenet.phantom.make import Phantom, make_phantom
from slicenet.phantom.settings import PhantomSettings
from slicenet.volume import Volume

BRAIN, LESIONS = "desc-brain_mask", "label-lesion_mask"
MNI, SCANNER = 4, 1  # codes of NIfTI's sform and qform


@final
@dataclass(frozen=True)
class Subject:
    """All that it takes to make one subject, here or in another process."""

    out: Path  # top of the data set
    index: int
    lesioned: bool
    seed: int
    settings: PhantomSettings
    shapes: tuple[Path, ...] = ()  # lesion masks
    case: Case | None = None  # the real scan to put lesions into; none: a phantom brain

    @property
    def label(self) -> str:
        """Its name in BIDS; it does not tell the group."""
        return f"sub-{self.index + 1:04d}"

    @property
    def row(self) -> dict[str, Any]:
        """Its row of participants.tsv, once it has been written."""
        record: dict[str, Any] = {"Volume": 0.0, "Lesions": []}
        if self.lesioned:
            record = json.loads(files.read_bytes(self._path(f"{LESIONS}.json")))
        row = {
            "participant_id": self.label,
            "group": "lesioned" if self.lesioned else "healthy",
            "seed": self.seed,
            "index": self.index,
            "lesions": len(record["Lesions"]),
            "lesion_volume": round(record["Volume"], 3),
        }
        return row if self.case is None else {**row, "source": self.case.name}

    @property
    def complete(self) -> bool:
        """Whether all its files are there; each is written whole or not at all."""
        stems = [*self.settings.contrasts, *([LESIONS] if self.lesioned else [])]
        paths = [self._path(f"{stem}{ending}") for stem in stems for ending in (".nii.gz", ".json")]
        return all(path.is_file() for path in [*paths, self._path(f"{BRAIN}.nii.gz")])

    def write(self) -> tuple[Notice, ...]:
        """Make it and write its files; what was noticed on the way."""
        phantom = self._make()
        volume = phantom.volume
        brain = volume.brain.numpy()
        for contrast, image in zip(self.settings.contrasts, volume.voxels.numpy(), strict=True):
            _write(self._path(f"{contrast}.nii.gz"), _as_stored(image), volume)
            stripped = not image[~brain].any()
            files.write_json(self._path(f"{contrast}.json"), {"SkullStripped": stripped})
        _write(self._path(f"{BRAIN}.nii.gz"), brain.astype(np.uint8), volume)
        if self.lesioned:
            truth = phantom.truth.numpy()
            _write(self._path(f"{LESIONS}.nii.gz"), truth.astype(np.uint8), volume)
            files.write_json(self._path(f"{LESIONS}.json"), _record(phantom))
        return volume.notices

    def _make(self) -> Phantom:
        if self.case is None:
            chosen = (self.settings, self.seed, self.index, self.lesioned, self.shapes)
            return make_phantom(*chosen)
        volume = self.case.read()
        if not self.lesioned:
            return Phantom(volume, torch.zeros_like(volume.brain))
        return add_lesions(volume, self.settings, self.seed, self.index, self.shapes)

    def _path(self, ending: str) -> Path:
        return self.out / self.label / "anat" / f"{self.label}_{ending}"


def write_subject(subject: Subject) -> tuple[Notice, ...]:
    """What a worker process does: tasks must be functions of a module."""
    return subject.write()


def _record(phantom: Phantom) -> dict[str, Any]:
    voxel = abs(np.linalg.det(phantom.volume.affine[:3, :3]))
    return {
        "Type": "Lesion",
        "Volume": float(phantom.truth.sum() * voxel),  # mm³
        "Lesions": [
            {
                "Kind": lesion.kind,
                "Radius": round(lesion.radius, 3),  # mm
                "Centre": [round(place, 3) for place in lesion.centre],  # mm, world
            }
            for lesion in phantom.lesions
        ],
    }


def _as_stored(image: np.ndarray) -> np.ndarray:
    """Whole numbers as int16, half the bytes; others as they are."""
    limits = np.iinfo(np.int16)
    whole = np.array_equal(image, np.rint(image))
    fits = limits.min <= image.min() and image.max() <= limits.max
    return image.astype(np.int16) if whole and fits else image


def _write(path: Path, voxels: np.ndarray, volume: Volume) -> None:
    """Write RAS `voxels` [X, Y, Z] on the stored grid of `volume`, with a clean header."""
    grid = volume.grid
    image = nib.Nifti1Image(np.ascontiguousarray(grid.from_ras(voxels)), grid.affine)
    code = MNI if volume.in_template_space else SCANNER
    image.set_sform(grid.affine, code)
    image.set_qform(grid.affine, code)
    image.header.set_xyzt_units("mm")
    with storing(path) as file:
        image.to_stream(file)
