"""What reading every file of a cohort shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import nibabel as nib
import numpy as np

from slicenet.cohort.case import Case
from slicenet.cohort.cohort import Cohort
from slicenet.errors import Notice, ResourceError, SlicenetError
from slicenet.images.options import ReadOptions
from slicenet.volume import Volume
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True)
class Facts:
    """What is known of a volume once it has been read; axes as its file stores them."""

    sequences: int
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]  # mm
    axes: str  # e.g. "RAS": where each axis points
    dtype: str  # of the file; "" unknown
    brain_ml: float
    lesion_ml: float | None = None  # none without a truth mask

    @property
    def extent(self) -> tuple[float, float, float]:
        """Edges of the whole grid, mm, each axis named by `axes`."""
        x, y, z = (float(n * edge) for n, edge in zip(self.shape, self.spacing, strict=True))
        return x, y, z


@final
@dataclass(frozen=True)
class Finding:
    """One case that was read, or the reason why it cannot be."""

    case: Case
    facts: Facts | None = None
    notices: tuple[Notice, ...] = ()
    error: SlicenetError | None = None


def examine(cohort: Cohort, watch: Watch = silent) -> Iterator[Finding]:
    """Read one case after the other, truth included; a bad one never stops the others."""
    for number, case in enumerate(cohort.cases, start=1):
        finding = _examine(case, cohort.options)
        watch("read", number, len(cohort))
        yield finding


def _examine(case: Case, options: ReadOptions) -> Finding:
    try:
        volume = case.read(options)
        truth, notices = case.read_noted_truth(volume, options)
    except SlicenetError as error:
        return Finding(case, error=error.alone())
    except MemoryError:
        text = f"{case.name}: does not fit into memory"
        return Finding(case, error=ResourceError(text, "E_MEMORY", "lower --max-voxels"))
    return Finding(case, _facts(volume, truth), (*volume.notices, *notices))


def _facts(volume: Volume, truth: np.ndarray | None) -> Facts:
    grid = volume.grid
    x, y, z = (float(edge) for edge in grid.spacing)
    milliliters = abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000
    return Facts(
        len(volume.voxels),
        grid.shape,
        (x, y, z),
        "".join(nib.aff2axcodes(grid.affine)),
        str(grid.header.get_data_dtype()) if grid.header is not None else "",
        int(volume.brain.sum()) * milliliters,
        None if truth is None else int(truth.sum()) * milliliters,
    )
