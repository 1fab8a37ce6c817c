"""FreeSurfer's MGH and MGZ: header by nibabel, guards as for NIfTI."""

from typing import NamedTuple

import numpy as np
from nibabel.freesurfer import mghformat

from slicenet.errors import VolumeError
from slicenet.images.claim import Claim, three_dimensional
from slicenet.images.options import ReadOptions


class ParsedMgh(NamedTuple):
    """What an MGH header claims; no affine if the file says that its own is not good."""

    affine: np.ndarray | None  # [4, 4] stored voxel to world, mm
    spacing: tuple[float, float, float]  # mm
    claim: Claim


@np.errstate(over="ignore", invalid="ignore")
def parse_mgh(head: bytes, options: ReadOptions) -> ParsedMgh:
    """Parse the first bytes of an unpacked MGH file."""
    if len(head) < mghformat.DATA_OFFSET:
        message = f"has {len(head)} bytes, an MGH header takes {mghformat.DATA_OFFSET}"
        raise VolumeError(message, "E_HEADER")
    fields = np.frombuffer(head, mghformat.header_dtype, count=1)[0]
    header = mghformat.MGHHeader(head[: mghformat.header_dtype.itemsize], check=False)
    shape, volumes = three_dimensional([int(size) for size in fields["dims"]], options)
    if int(fields["type"]) not in mghformat.data_type_codes.code:
        raise VolumeError(f"holds voxels of type {int(fields['type'])} (unknown)", "E_DTYPE")
    claim = Claim(shape, volumes, header.get_data_dtype(), mghformat.DATA_OFFSET, trailer=True)
    # Asked of the file: nibabel replaces the whole geometry where the flag is 0.
    affine = header.get_affine() if fields["goodRASFlag"] else None
    x, y, z = (float(width) for width in header["delta"])
    return ParsedMgh(affine, (x, y, z), claim)
