"""NIfTI headers, parsed by nibabel and believed only where they make sense."""

import math
import sys
from typing import NamedTuple

import nibabel as nib
import numpy as np

from slicenet.errors import Notice, VolumeError
from slicenet.images.claim import Claim, three_dimensional
from slicenet.images.formats import NIFTI1_MAGICS, NIFTI1_SIZES, NIFTI2_MAGICS, NIFTI2_SIZES, Format
from slicenet.images.options import ReadOptions

READABLE = {2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280}  # real numbers that every machine has
LARGEST_OFFSET = 2**26  # bytes; room for any extensions, and an end to what is passed over
EXTENDER = 4  # bytes after the header proper that say whether extensions follow


class Parsed(NamedTuple):
    """A header in this machine's byte order, without extensions, and what it claims."""

    header: nib.Nifti1Header  # or nib.Nifti2Header, which derives from it
    claim: Claim
    extended: bool  # says that extensions follow the header
    order: str  # of the file's bytes, "<" or ">"


def parse_nifti(head: bytes, kind: Format, single: bool, options: ReadOptions) -> Parsed:
    """Parse the first bytes of a file; `single` if the voxels are in the same file."""
    header = _structure(head, kind)
    notices = [*_check_magic(header, head, single)]
    rank = int(header["dim"][0])
    shape, volumes = three_dimensional(_sizes(header, rank), options)
    dtype = _check_type(header)
    slope, intercept, scaling = _scaling(header)
    offset, misplaced = _offset(header, single)
    notices += [*_check_bits(header, dtype), *scaling, *misplaced]
    claim = Claim(shape, volumes, dtype, offset, slope, intercept, notices=tuple(notices))
    native = header.as_byteswapped("<" if sys.byteorder == "little" else ">")
    extended = head[header.sizeof_hdr : header.sizeof_hdr + 1] not in (b"", b"\0")
    return Parsed(native, claim, extended, header.endianness)


def _structure(head: bytes, kind: Format) -> nib.Nifti1Header:
    form = nib.Nifti1Header if kind is Format.NIFTI1 else nib.Nifti2Header
    if len(head) < form.sizeof_hdr:
        message = f"has {len(head)} bytes, a {kind.value} header takes {form.sizeof_hdr}"
        raise VolumeError(message, "E_HEADER", "the file was cut off: fetch or convert it again")
    sizes = NIFTI1_SIZES if kind is Format.NIFTI1 else NIFTI2_SIZES
    # The size is the better witness of the byte order: nibabel asks dim[0], which may be wrong.
    order = {sizes[0]: "<", sizes[1]: ">"}.get(head[:4])
    return form(head[: form.sizeof_hdr], endianness=order, check=False)


def _check_magic(header: nib.Nifti1Header, head: bytes, single: bool) -> list[Notice]:
    second = isinstance(header, nib.Nifti2Header)
    magic = head[4:8] if second else head[344:348]
    if magic not in (*NIFTI1_MAGICS, *NIFTI2_MAGICS):
        hint = "an Analyze 7.5 file? convert it to NIfTI" if not magic.strip(b"\0") else ""
        raise VolumeError(f"has no NIfTI mark in its header but {magic!r}", "E_HEADER", hint)
    notices = []
    if int(header["sizeof_hdr"]) != header.sizeof_hdr:
        notices.append(f"the header gives its size as {int(header['sizeof_hdr'])}")
    if (magic[1:2] == b"+") is not single:
        notices.append(f"the mark {magic[:3].decode()!r} does not fit the file's name")
    if second and list(header["eol_check"]) != [13, 10, 26, 10]:
        if np.any(header["eol_check"]):
            message = "was copied in text mode, which changed its line ends"
            raise VolumeError(message, "E_HEADER", "copy it again in binary mode")
        notices.append("the header's line-end check is empty")
    return [Notice("W_HEADER", text) for text in notices]


def _sizes(header: nib.Nifti1Header, rank: int) -> list[int]:
    sizes = [int(size) for size in header["dim"][1:]]
    if not 2 <= rank <= 7:
        raise VolumeError(f"claims {rank} dimensions", "E_DIM")
    if rank == 2 and sizes[2] > 1:
        raise VolumeError(f"claims 2 dimensions, but {sizes[2]} slices", "E_DIM")
    return sizes[:rank]


def _check_type(header: nib.Nifti1Header) -> np.dtype:
    code = int(header["datatype"])
    if code in READABLE:
        return header.get_data_dtype()
    known = nib.nifti1.data_type_codes
    name = known.label[code] if code in known.code else "unknown"
    hint = "convert it to real numbers, one a voxel" if name != "unknown" else ""
    raise VolumeError(f"holds voxels of type {code} ({name})", "E_DTYPE", hint)


def _check_bits(header: nib.Nifti1Header, dtype: np.dtype) -> list[Notice]:
    bits = int(header["bitpix"])
    if bits == 8 * dtype.itemsize:
        return []
    return [Notice("W_BITPIX", f"the header says {bits} bits a voxel, its type {dtype.name} rules")]


def _scaling(header: nib.Nifti1Header) -> tuple[float, float, list[Notice]]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0, [Notice("W_SLOPE", f"scl_slope is {slope:g}: taken as not scaled")]
    if not math.isfinite(intercept):
        return slope, 0.0, [Notice("W_SLOPE", f"scl_inter is {intercept:g}: taken as 0")]
    return slope, intercept, []


def _offset(header: nib.Nifti1Header, single: bool) -> tuple[int, list[Notice]]:
    claimed = float(header["vox_offset"])
    least = header.single_vox_offset if single else 0
    if claimed == 0 and single:
        return least, [Notice("W_OFFSET", f"vox_offset is 0: voxels taken from byte {least}")]
    if not (least <= claimed <= LARGEST_OFFSET and claimed.is_integer()):
        raise VolumeError(f"claims that its voxels begin at byte {claimed:g}", "E_HEADER")
    return int(claimed), []
