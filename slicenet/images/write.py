"""Maps and masks as NIfTI on the grid of their source, whole or not at all."""

import gzip
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import nibabel as nib
import numpy as np

from slicenet.files import replacing
from slicenet.images.grid import Grid

LEVEL = 1  # of gzip: a quarter less time than the usual 6, for 3 % more bytes
LARGEST = 32767  # voxels along an axis that NIfTI-1 can tell
NO_CODE, SCANNER = 0, 1
QUATERNION = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z"),
)


def write_map(path: Path, scores: np.ndarray, grid: Grid) -> None:
    """Write `scores` [X, Y, Z] in RAS order as float32 in the order of the file."""
    assert np.isfinite(scores).all(), "a map holds numbers only"
    _write(path, grid.from_ras(scores), grid, np.dtype(np.float32))


def write_mask(path: Path, mask: np.ndarray, grid: Grid) -> None:
    """Write `mask` [X, Y, Z] in RAS order as uint8 in the order of the file."""
    _write(path, grid.from_ras(mask), grid, np.dtype(np.uint8))


def header_for(grid: Grid, dtype: np.dtype) -> nib.Nifti1Header:
    """The geometry of `grid` and nothing else of its source, which may name a person."""
    source = grid.header
    large = max(grid.shape) > LARGEST or isinstance(source, nib.Nifti2Header)
    header = nib.Nifti2Header() if large else nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(grid.shape)
    header.set_data_offset(header.single_vox_offset)
    header.set_slope_inter(1, 0)
    header.set_xyzt_units("mm", _time_unit(source))
    header.set_zooms(grid.spacing)
    _set_places(header, source, grid)
    return header


def _set_places(header: nib.Nifti1Header, source: nib.Nifti1Header | None, grid: Grid) -> None:
    """Both affines with their codes, where the source has both."""
    if source is None:
        header.set_sform(grid.affine, SCANNER)
        header.set_qform(grid.affine, SCANNER, strip_shears=True)
        return
    sform, qform = int(source["sform_code"]), int(source["qform_code"])
    if sform > NO_CODE:
        header.set_sform(grid.affine, sform)
    if qform > NO_CODE and sform > NO_CODE:
        _copy_quaternion(header, source)
    elif qform > NO_CODE:
        header.set_qform(grid.affine, qform, strip_shears=True)


def _copy_quaternion(header: nib.Nifti1Header, source: nib.Nifti1Header) -> None:
    """The source's own numbers: a matrix on the way would change their last bits."""
    for name in QUATERNION:
        header[name] = source[name]
    header["pixdim"][:4] = source["pixdim"][:4]


def _write(path: Path, stored: np.ndarray, grid: Grid, dtype: np.dtype) -> None:
    assert stored.shape == grid.shape, "a map lies on the grid of its source"
    header = header_for(grid, dtype)
    header["cal_max"] = stored.max()
    with replacing(path) as temporary, ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(temporary.open("wb"))
        if path.name.endswith(".gz"):
            # No name and no time inside: the same map gives the same bytes.
            file = stack.enter_context(
                gzip.GzipFile("", "wb", LEVEL, file, mtime=0)  # type: ignore[arg-type]
            )
        header.write_to(file)  # with the four bytes that say: no extensions
        for z in range(stored.shape[2]):  # a slice at a time: no second copy of the volume
            file.write(stored[:, :, z].astype(dtype).tobytes("F"))


def _time_unit(source: nib.Nifti1Header | None) -> str:
    if source is None:
        return "unknown"
    # The upper bits are the unit of time; `get_xyzt_units` trips over invalid lower ones.
    known = {8: "sec", 16: "msec", 24: "usec"}
    return known.get(int(source["xyzt_units"]) & 0x38, "unknown")
