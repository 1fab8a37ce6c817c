"""One thing to work on: the files of one brain, and what its outputs are called."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import final

import numpy as np

from slicenet.cohort.naming import output_prefix
from slicenet.errors import Notice
from slicenet.images.image import read_mask
from slicenet.images.options import ReadOptions
from slicenet.images.pairs import parts_of
from slicenet.images.picture_file import is_picture
from slicenet.volume import Volume, read_volume

HEALTHY = ("healthy", "control", "controls", "hc")  # groups without lesions


@final
@dataclass(frozen=True)
class Case:
    """The files of one brain; nothing of them is read before `read`."""

    name: str  # unique in its cohort, safe as a file name, e.g. "sub-01_ses-2_T2w" or "case7"
    images: tuple[Path, ...]  # co-registered, one per sequence
    folder: PurePosixPath  # of its outputs, below OUT: "sub-01/ses-2/anat" or "case7"
    mask: Path | None = None  # brain mask, given or beside the image; none: found from the image
    truth: Path | None = None  # lesion mask
    group: str = ""  # "healthy", "lesioned" or what the table says; "" unknown
    subject: str = ""  # BIDS label without `sub-`, or the id
    in_template_space: bool = False  # its name says `space-MNI…`
    synthetic: bool = False  # a phantom
    labels: tuple[int, ...] = ()  # of the truth that count; none named: all above 0
    site: str = ""  # where it was acquired, if the data set says so
    role: str = ""  # "fit", "calibrate" or "test", as a split has it; "" if none says so
    whole: bool = False  # all of a picture is looked at, not the head in it

    @property
    def is_healthy(self) -> bool:
        """Whether its group says that it has no lesions; an unknown group says nothing."""
        return self.group.casefold() in HEALTHY

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that `read` reads."""
        paths = [*self.images, *([self.mask] if self.mask else [])]
        return tuple(part for path in paths for part in parts_of(path))

    @property
    def flat(self) -> bool:
        """Whether it is a picture, not a volume."""
        return any(is_picture(image.name) for image in self.images)

    @property
    def prefix(self) -> str:
        """How the names of its outputs begin: `{prefix}_desc-anomaly_heatmap.nii.gz`."""
        return output_prefix(self.name)

    def read(self, options: ReadOptions = ReadOptions()) -> Volume:
        """Read the images and the brain, in RAS order."""
        place = self.in_template_space
        volume = read_volume(self.images, self.name, self.mask, options, place, self.whole)
        return replace(volume, subject=self.subject)

    def read_truth(self, volume: Volume, options: ReadOptions = ReadOptions()) -> np.ndarray | None:
        """Lesion voxels, bool [X, Y, Z] on the RAS grid of `volume`; none where none are known."""
        return self.read_noted_truth(volume, options)[0]

    def read_noted_truth(
        self, volume: Volume, options: ReadOptions = ReadOptions()
    ) -> tuple[np.ndarray | None, tuple[Notice, ...]]:
        """What `read_truth` gives, with what was noticed while reading it."""
        if self.truth is None:
            return None, ()
        stored, notices = read_mask(self.truth, volume.grid, options, self.labels)
        return volume.grid.to_ras(stored), notices
