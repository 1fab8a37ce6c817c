"""How scans are prepared."""

from dataclasses import dataclass
from typing import final

import nibabel as nib
import numpy as np

from slicenet.errors import ConfigError
from slicenet.images.grid import Grid
from slicenet.mni import SPACE
from slicenet.preparing.external import check_command

BOX = (192.0, 224.0, 192.0)  # mm, holds every brain that lies on the average one
MNI = 4  # code of NIfTI
CORNER = (-96.0, -130.0, -74.0)  # MNI mm


@final
@dataclass(frozen=True)
class PrepareSettings:
    """Settings of `prepare`."""

    spacing: float = 1.0  # mm, edge of a voxel
    skull_strip: str = ""  # command of a tool that finds the brain; see `external`

    def __post_init__(self) -> None:
        if not 0.5 <= self.spacing <= 4:
            raise ConfigError(f"spacing: {self.spacing:g} mm is not within 0.5 to 4", "E_SETTING")
        if self.skull_strip:
            check_command(self.skull_strip)

    @property
    def grid(self) -> Grid:
        """Where prepared scans lie."""
        x, y, z = (round(edge / self.spacing) for edge in BOX)
        affine = np.diag([self.spacing, self.spacing, self.spacing, 1.0])
        affine[:3, 3] = np.array(CORNER) + self.spacing / 2
        header = nib.Nifti1Header()
        header.set_data_shape((x, y, z))
        header.set_xyzt_units("mm")
        header.set_sform(affine, MNI)
        header.set_qform(affine, MNI)
        return Grid((x, y, z), affine, header)

    @property
    def entities(self) -> str:
        """What BIDS names say about that."""
        edge = f"{self.spacing:g}".replace(".", "p")  # BIDS allows letters and digits
        return f"space-{SPACE}_res-{edge}"
