"""Every bad file that one path can hold, by its number in the list of bad inputs.

A builder takes a folder and returns the path that it made there. The code is what reading it
comes to: an error, the only warning, or "" where the file must read as if nothing were odd.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from slicenet.errors import VolumeError
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from tests.slicenet.images import bad_bytes, bad_headers, bad_intensities, bad_places


class BadFile(NamedTuple):
    """How to make a bad file, and what must come of reading it."""

    build: Callable[[Path], Path]
    code: str


NOT_FOR_ROOT = {17}  # who may read everything

BAD_FILES: dict[int, tuple[BadFile, ...]] = {
    1: (BadFile(bad_bytes.empty, "E_EMPTY"),),
    2: (BadFile(bad_bytes.gzip_of_nothing, "E_EMPTY"),),
    3: (BadFile(bad_bytes.cut_in_half, "E_TRUNCATED"),),
    4: (BadFile(bad_bytes.without_trailer, "E_TRUNCATED"),),
    5: (BadFile(bad_bytes.with_wrong_checksum, "E_CRC"),),
    6: (BadFile(bad_bytes.with_flipped_bit, "E_CRC"),),
    7: (
        BadFile(bad_bytes.shorter_than_claimed, "E_TRUNCATED"),
        BadFile(bad_bytes.shorter_than_claimed_packed, "E_TRUNCATED"),
    ),
    8: (BadFile(bad_bytes.part_of_a_header, "E_HEADER"),),
    9: (BadFile(bad_bytes.plain_named_packed, "W_NAME"),),
    10: (BadFile(bad_bytes.packed_named_plain, "W_NAME"),),
    11: (BadFile(bad_bytes.html, "E_NOT_NIFTI"),),
    12: (
        BadFile(bad_bytes.lfs_pointer, "E_POINTER"),
        BadFile(bad_bytes.annex_pointer, "E_POINTER"),
        BadFile(bad_bytes.annex_link, "E_POINTER"),
    ),
    13: (
        BadFile(bad_bytes.junk_after_gzip, "W_JUNK"),
        BadFile(bad_bytes.junk_inside_gzip, "W_JUNK"),
        BadFile(bad_bytes.junk_after_plain, "W_JUNK"),
    ),
    14: (BadFile(bad_bytes.gzip_members, ""),),
    15: (BadFile(bad_bytes.bomb, "E_TOO_LARGE"),),
    16: (
        BadFile(bad_bytes.directory, "E_NOT_FILE"),
        BadFile(bad_bytes.pipe, "E_NOT_FILE"),
        BadFile(bad_bytes.device, "E_NOT_FILE"),
        BadFile(bad_bytes.socket_file, "E_NOT_FILE"),
    ),
    17: (BadFile(bad_bytes.unreadable, "E_PERMISSION"),),
    18: (
        BadFile(bad_bytes.dangling_link, "E_NOT_FOUND"),
        BadFile(bad_bytes.looping_link, "E_NOT_FOUND"),
    ),
    19: (
        BadFile(bad_bytes.not_utf8, ""),
        BadFile(bad_bytes.newline, ""),
        BadFile(bad_bytes.leading_dash, ""),
        BadFile(bad_bytes.longest_name, ""),
        BadFile(bad_bytes.emoji, ""),
    ),
    21: (
        BadFile(bad_bytes.pair, ""),
        BadFile(bad_bytes.mgz, ""),
        BadFile(bad_bytes.nrrd, "E_NOT_NIFTI"),
        BadFile(bad_bytes.dicom_file, "E_NOT_NIFTI"),
        BadFile(bad_bytes.dicom_folder, "E_NOT_FILE"),
    ),
    22: (
        BadFile(bad_headers.huge, "E_TOO_LARGE"),
        BadFile(bad_headers.huge_packed, "E_TOO_LARGE"),
    ),
    23: (BadFile(bad_headers.huge_nifti2, "E_TOO_LARGE"),),
    24: (BadFile(bad_headers.negative_dim, "E_DIM"),),
    25: (BadFile(bad_headers.zero_dim, "E_DIM"),),
    26: (
        BadFile(bad_headers.no_dimensions, "E_DIM"),
        BadFile(bad_headers.eight_dimensions, "E_DIM"),
        BadFile(bad_headers.two_dimensions, "E_DIM"),
    ),
    27: (BadFile(bad_headers.unknown_type, "E_DTYPE"),),
    28: (BadFile(bad_headers.colours, "E_DTYPE"),),
    29: (BadFile(bad_headers.complex_numbers, "E_DTYPE"),),
    30: (BadFile(bad_headers.wrong_bits, "W_BITPIX"),),
    31: (
        BadFile(bad_headers.slope_nan, "W_SLOPE"),
        BadFile(bad_headers.slope_inf, "W_SLOPE"),
        BadFile(bad_headers.slope_zero, "W_SLOPE"),
    ),
    32: (BadFile(bad_headers.slope_huge, "E_NONFINITE"),),
    33: (BadFile(bad_headers.slope_tiny, "E_CONSTANT"),),
    34: (BadFile(bad_headers.huge_values, "E_NONFINITE"),),
    35: (
        BadFile(bad_headers.int64_far_apart, ""),
        BadFile(bad_headers.int64_close_together, "E_RANGE"),
    ),
    36: (BadFile(bad_headers.big_endian, ""),),
    37: (
        BadFile(bad_headers.offset_absurd, "E_HEADER"),
        BadFile(bad_headers.offset_past_the_end, "E_TRUNCATED"),
        BadFile(bad_headers.offset_negative, "E_HEADER"),
        BadFile(bad_headers.offset_zero, "W_OFFSET"),
    ),
    38: (
        BadFile(bad_headers.wrong_magic, "E_HEADER"),
        BadFile(bad_headers.header_size_zero, "W_HEADER"),
    ),
    39: (
        BadFile(bad_headers.extension_huge, "E_EXTENSION"),
        BadFile(bad_headers.extension_without_room, "E_EXTENSION"),
    ),
    40: (BadFile(bad_headers.extension_with_name, ""),),
    41: (BadFile(bad_headers.hostile_description, ""),),
    42: (
        BadFile(bad_headers.units_invalid, "E_UNITS"),
        BadFile(bad_headers.units_micron, "W_UNITS"),
        BadFile(bad_headers.units_metre, "W_UNITS"),
    ),
    43: (BadFile(bad_places.no_orientation, "E_NO_ORIENTATION"),),
    44: (BadFile(bad_places.singular_sform, "E_AFFINE"),),
    45: (
        BadFile(bad_places.nan_sform, "E_AFFINE"),
        BadFile(bad_places.nan_pixdim, "E_AFFINE"),
    ),
    46: (
        BadFile(bad_places.no_rotation, "E_AFFINE"),
        BadFile(bad_places.no_rotation_unused, "W_QFORM"),
    ),
    47: (
        BadFile(bad_places.forms_apart, "W_QS_DISAGREE"),
        BadFile(bad_places.forms_mirrored, "W_QS_DISAGREE"),
    ),
    48: (BadFile(bad_places.sheared, "W_SHEAR"),),
    49: (
        BadFile(bad_places.las, ""),
        BadFile(bad_places.rpi, ""),
        BadFile(bad_places.pir, ""),
    ),
    50: (BadFile(bad_places.oblique, ""),),
    51: (BadFile(bad_places.anisotropic, ""),),
    52: (
        BadFile(bad_places.one_slice, ""),
        BadFile(bad_places.two_slices, ""),
        BadFile(bad_places.flat, ""),
    ),
    53: (
        BadFile(bad_places.tiny_voxels, "E_SPACING"),
        BadFile(bad_places.small_voxels, "W_SPACING"),
        BadFile(bad_places.vast_voxels, "E_SPACING"),
    ),
    54: (BadFile(bad_places.one_volume, ""),),
    55: (
        BadFile(bad_places.three_volumes, "E_4D"),
        BadFile(bad_places.five_dimensions, "E_DIM"),
    ),
    60: (BadFile(bad_intensities.all_nan, "E_NONFINITE"),),
    61: (BadFile(bad_intensities.one_inf, "W_NONFINITE"),),
    62: (
        BadFile(bad_intensities.nan_outside, "W_NONFINITE"),
        BadFile(bad_intensities.nan_scattered, "E_NONFINITE"),
    ),
    63: (BadFile(bad_intensities.constant, "E_CONSTANT"),),
    64: (BadFile(bad_intensities.all_zero, "E_CONSTANT"),),
    65: (BadFile(bad_intensities.one_voxel, "E_CONSTANT"),),
    66: (
        BadFile(bad_intensities.binary, "E_CONSTANT"),
        BadFile(bad_intensities.labels, "W_LOW_LEVELS"),
        BadFile(bad_intensities.many_labels, "W_LOW_LEVELS"),
    ),
    67: (BadFile(bad_intensities.saturated, "W_LOW_LEVELS"),),
    68: (BadFile(bad_intensities.negative, "W_DOMAIN"),),
    69: (BadFile(bad_intensities.hounsfield, "W_DOMAIN"),),
}


def outcome(path: Path, options: ReadOptions = ReadOptions()) -> str:
    """The code of the error that reading comes to, else of the warnings, else ""."""
    try:
        return " ".join(notice.code for notice in read_image(path, options).notices)
    except VolumeError as error:
        return error.code


def outcomes(number: int, folder: Path) -> list[str]:
    """Make each bad file of a number and read it; the codes must be those that are listed."""
    found = [outcome(case.build(folder)) for case in BAD_FILES[number]]
    assert found == [case.code for case in BAD_FILES[number]]
    return found
