"""The bad files of group B: headers that lie, boast or make no sense."""

import struct
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.slicenet.images.brains import (
    AFFINE,
    SHAPE,
    brain,
    edited,
    image,
    packed,
    plain,
    put,
    save,
    with_dim,
)

HUGE = 32767
SECRET = b"Jane Doe 1970-01-01"


def huge(folder: Path) -> Path:
    return put(folder, "b22-huge.nii", with_dim(3, HUGE, HUGE, HUGE))


def huge_packed(folder: Path) -> Path:
    return put(folder, "b22-huge-packed.nii.gz", packed(with_dim(3, HUGE, HUGE, HUGE)))


def huge_nifti2(folder: Path) -> Path:
    content = nib.Nifti2Image(brain(), AFFINE).to_bytes()
    dim = [3, 2**40, 2**40, 2**40, 1, 1, 1, 1]
    return put(folder, "b23-huge-nifti2.nii", edited(content, dim=dim))


def negative_dim(folder: Path) -> Path:
    return put(folder, "b24-negative-dim.nii.gz", packed(with_dim(3, 40, -48, 40)))


def zero_dim(folder: Path) -> Path:
    return put(folder, "b25-zero-dim.nii.gz", packed(with_dim(3, 40, 0, 40)))


def no_dimensions(folder: Path) -> Path:
    return put(folder, "b26-no-dimensions.nii.gz", packed(with_dim(0, *SHAPE)))


def eight_dimensions(folder: Path) -> Path:
    return put(folder, "b26-eight-dimensions.nii.gz", packed(with_dim(8, *SHAPE)))


def two_dimensions(folder: Path) -> Path:
    return put(folder, "b26-two-dimensions.nii.gz", packed(with_dim(2, *SHAPE)))


def unknown_type(folder: Path) -> Path:
    return put(folder, "b27-unknown-type.nii.gz", packed(edited(datatype=9999)))


def colours(folder: Path) -> Path:
    return put(folder, "b28-colours.nii.gz", packed(edited(datatype=128, bitpix=24)))


def complex_numbers(folder: Path) -> Path:
    return put(folder, "b29-complex.nii.gz", packed(edited(datatype=32, bitpix=64)))


def wrong_bits(folder: Path) -> Path:
    return put(folder, "b30-wrong-bits.nii.gz", packed(edited(bitpix=8)))


def slope_nan(folder: Path) -> Path:
    return put(folder, "b31-slope-nan.nii.gz", packed(edited(scl_slope=np.nan)))


def slope_inf(folder: Path) -> Path:
    return put(folder, "b31-slope-inf.nii.gz", packed(edited(scl_slope=np.inf)))


def slope_zero(folder: Path) -> Path:
    return put(folder, "b31-slope-zero.nii.gz", packed(edited(scl_slope=0)))


def slope_huge(folder: Path) -> Path:
    return put(folder, "b32-slope-3e38.nii.gz", packed(edited(scl_slope=3e38)))


def slope_tiny(folder: Path) -> Path:
    return put(folder, "b33-slope-1e-45.nii.gz", packed(edited(scl_slope=1e-45)))


def huge_values(folder: Path) -> Path:
    content = plain(brain(np.float64) * 1e300)
    return put(folder, "b34-values-1e300.nii.gz", packed(content))


def _of_64_bits(offset: int, step: int) -> bytes:
    voxels = brain(np.int64)
    voxels[voxels > 0] = offset + step * voxels[voxels > 0]
    return nib.Nifti1Image(voxels, AFFINE, dtype=np.int64).to_bytes()


def int64_far_apart(folder: Path) -> Path:
    return put(folder, "b35-int64.nii.gz", packed(_of_64_bits(0, 2**50)))


def int64_close_together(folder: Path) -> Path:
    voxels = brain(np.int64) + 2**60
    content = nib.Nifti1Image(voxels, AFFINE, dtype=np.int64).to_bytes()
    return put(folder, "b35-int64-too-close.nii.gz", packed(content))


def big_endian(folder: Path) -> Path:
    header = nib.Nifti1Header(endianness=">")
    made = nib.Nifti1Image(brain(), AFFINE, header)
    made.set_sform(AFFINE, 1)
    return save(folder, "b36-big-endian.nii.gz", made)


def offset_absurd(folder: Path) -> Path:
    return put(folder, "b37-offset-absurd.nii.gz", packed(edited(vox_offset=1e12)))


def offset_past_the_end(folder: Path) -> Path:
    return put(folder, "b37-offset-past-the-end.nii.gz", packed(edited(vox_offset=1e6)))


def offset_negative(folder: Path) -> Path:
    return put(folder, "b37-offset-negative.nii.gz", packed(edited(vox_offset=-352)))


def offset_zero(folder: Path) -> Path:
    return put(folder, "b37-offset-zero.nii.gz", packed(edited(vox_offset=0)))


def wrong_magic(folder: Path) -> Path:
    return put(folder, "b38-wrong-magic.nii.gz", packed(edited(magic=b"n+9")))


def header_size_zero(folder: Path) -> Path:
    return put(folder, "b38-header-size-zero.nii.gz", packed(edited(sizeof_hdr=0)))


def _extended(content: bytes, claimed: int, kept: bytes, offset: int) -> bytes:
    start = edited(content, vox_offset=offset)[:348]
    extension = struct.pack("<ii", claimed, 6) + kept
    return start + b"\x01\0\0\0" + extension + content[352:]


def extension_huge(folder: Path) -> Path:
    content = _extended(plain(), 2**31 - 16, SECRET.ljust(24, b"\0"), 384)
    return put(folder, "b39-extension-huge.nii.gz", packed(content))


def extension_without_room(folder: Path) -> Path:
    content = _extended(plain(), 32, SECRET.ljust(24, b"\0"), 352)
    return put(folder, "b39-extension-without-room.nii.gz", packed(content))


def extension_with_name(folder: Path) -> Path:
    content = _extended(plain(), 32, SECRET.ljust(24, b"\0"), 384)
    return put(folder, "b40-extension-with-name.nii.gz", packed(content))


def hostile_description(folder: Path) -> Path:
    content = edited(descrip=b"<script>alert(1)</script>\x1b[2J", aux_file=b"\x07\x00\xff../x")
    return put(folder, "b41-hostile-description.nii.gz", packed(content))


def units_invalid(folder: Path) -> Path:
    return put(folder, "b42-units-invalid.nii.gz", packed(edited(xyzt_units=7)))


def _in_units(factor: float, code: int) -> bytes:
    made = image(affine=AFFINE @ np.diag([factor, factor, factor, 1]))
    made.header["xyzt_units"] = code
    affine = made.affine.copy()
    affine[:3, 3] *= factor
    made.set_sform(affine, 1)
    made.set_qform(affine, 1)
    return made.to_bytes()


def units_micron(folder: Path) -> Path:
    return put(folder, "b42-units-micron.nii.gz", packed(_in_units(1000, 3)))


def units_metre(folder: Path) -> Path:
    return put(folder, "b42-units-metre.nii.gz", packed(_in_units(0.001, 1)))
