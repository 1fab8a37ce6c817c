"""How image files are read."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class ReadOptions:
    """How files are read; the same for all files of one run."""

    max_voxels: int = 512**3  # of one volume; larger claims are refused before decompressing
    volume: int | None = None  # which volume of a 4D file, from 0
    assume_ras: bool = False  # accept files that say nothing about orientation
    resample_mask: bool = False  # bring masks that lie on another grid to the image's
