"""Maps and masks as NIfTI on the grid of their source, whole or not at all."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np

from slicenet.errors import ConfigError
from slicenet.files import Raw, writing
from slicenet.images.grid import Grid

LEVEL = 1  # of gzip: a quarter less time than the usual 6, for 3 % more bytes
LARGEST = 32767  # voxels along an axis that NIfTI-1 can tell
SCANNER = 1
CODES = range(SCANNER, 6)  # those that the standard gives a meaning
MILLIMETRE, TIME = 2, 0x38  # of xyzt_units: a unit of length, and the bits of that of time
SFORM = ("sform_code", "srow_x", "srow_y", "srow_z")
QFORM = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z"),
)
CLOSE = 1e-3  # mm between what a header says and the grid that it belongs to


def write_map(path: Path, scores: np.ndarray, grid: Grid) -> None:
    """Write `scores` [X, Y, Z] in RAS order as float32 in the order of the file."""
    # Two numbers, not a mask of all voxels: NaN and Inf both reach one of them.
    assert np.isfinite([scores.min(), scores.max()]).all(), "a map holds numbers only"
    _write(path, grid.from_ras(scores), grid, np.dtype("<f4"))


def write_mask(path: Path, mask: np.ndarray, grid: Grid) -> None:
    """Write `mask` [X, Y, Z] in RAS order as uint8 in the order of the file."""
    _write(path, grid.from_ras(mask), grid, np.dtype("u1"))


def write_labels(path: Path, labels: np.ndarray, grid: Grid) -> None:
    """Write `labels` [X, Y, Z] of 0 to 255 in RAS order as uint8 in the order of the file."""
    least, most = int(labels.min()), int(labels.max())
    assert 0 <= least <= most <= 255, "a byte holds every label"
    _write(path, grid.from_ras(labels), grid, np.dtype("u1"))


@contextmanager
def storing(path: Path) -> Iterator[Raw | gzip.GzipFile]:
    """What is written becomes `path`, whole or not at all, packed where its name says so."""
    packed = path.name.lower().endswith(".nii.gz")
    if not packed and path.suffix.lower() != ".nii":
        raise ConfigError(f"{path}: maps are written as .nii.gz or .nii", "E_NAME")
    with ExitStack() as stack:
        file: Raw | gzip.GzipFile = stack.enter_context(writing(path))
        if packed:
            # No name and no time inside: the same map gives the same bytes.
            packer = gzip.GzipFile("", "wb", LEVEL, file, mtime=0)
            file = stack.enter_context(packer)
        yield file


def header_for(grid: Grid, dtype: np.dtype) -> nib.Nifti1Header:
    """Geometry, codes and units of `grid`; nothing else of its source, which may name a person."""
    source = _source(grid)
    large = max(grid.shape) > LARGEST or isinstance(source, nib.Nifti2Header)
    header = (nib.Nifti2Header if large else nib.Nifti1Header)(endianness="<")
    header.set_data_dtype(dtype)
    header.set_data_shape(grid.shape)
    header.set_data_offset(header.single_vox_offset)
    header.set_slope_inter(1, 0)
    # Number by number: a matrix on the way would change the last bits of a quaternion.
    header["pixdim"][:4] = source["pixdim"][:4]
    header["xyzt_units"] = _units(int(source["xyzt_units"]))
    for form in (SFORM, QFORM):
        if int(source[form[0]]) in CODES and (form is SFORM or _is_rotation(source)):
            for field in form:
                header[field] = source[field]
    return header


def _source(grid: Grid) -> nib.Nifti1Header:
    """The header of the file, or one made of the affine where that tells another story."""
    header = grid.header
    if header is not None:
        codes = [int(header[form[0]]) for form in (SFORM, QFORM)]
        if codes == [0, 0] or np.abs(header.get_best_affine() - grid.affine).max() < CLOSE:
            return header
    made = nib.Nifti1Header()
    made.set_xyzt_units("mm")
    made.set_sform(grid.affine, SCANNER)
    made.set_qform(grid.affine, SCANNER)  # sets the voxel sizes too
    if np.abs(made.get_qform() - grid.affine).max() > CLOSE:
        made["qform_code"] = 0  # no quaternion can tell of shears
    return made


def _units(units: int) -> int:
    # Affines are in mm once read, whatever they were in; a header that is silent stays so.
    return units & TIME | (MILLIMETRE if units & ~TIME else 0)


def _is_rotation(header: nib.Nifti1Header) -> bool:
    """Whether there is a qform to copy; a broken one makes other readers fail."""
    try:
        return bool(np.isfinite(header.get_qform()).all())
    except ValueError:
        return False


def _write(path: Path, stored: np.ndarray, grid: Grid, dtype: np.dtype) -> None:
    assert stored.shape == grid.shape, "a map lies on the grid of its source"
    header = header_for(grid, dtype)
    header["cal_max"] = max(0, stored.max())
    with storing(path) as file:
        header.write_to(file)  # with the four bytes that say: no extensions
        for z in range(stored.shape[2]):  # a slice at a time: no second copy of the volume
            file.write(stored[:, :, z].astype(dtype).tobytes("F"))
