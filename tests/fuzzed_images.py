"""Image files drawn at random: headers of odd numbers, damaged bytes, odd gzip."""

import gzip
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from hypothesis import strategies as st

from slicenet.images.options import ReadOptions
from slicenet.volume import read_volume
from tests.fuzzing import Target
from tests.slicenet.images.brains import AFFINE, brain

NAMES = ("any.nii", "any.nii.gz", "any.mgz", "any.hdr")
DTYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
FORMS = (nib.Nifti1Header, nib.Nifti2Header)
SMALL = brain()[12:28, 16:32, 12:28]  # all inside, 16³


class File(NamedTuple):
    """A file to be read."""

    name: str
    content: bytes
    options: ReadOptions


OPTIONS = st.builds(
    ReadOptions, max_voxels=st.just(2**21), volume=st.sampled_from((None, 0, 1)),
    assume_ras=st.booleans(),
)  # fmt: skip


def image(form: Any, dtype: str, order: str) -> bytes:
    """The bytes of a small good image."""
    header = form(endianness=order)
    header.set_data_dtype(np.dtype(order + dtype))
    voxels = np.zeros((24, 24, 24))
    voxels[4:20, 4:20, 4:20] = SMALL // 8
    made = nib.Nifti1Image if form is nib.Nifti1Header else nib.Nifti2Image
    return made(voxels.astype(dtype), AFFINE, header).to_bytes()


def numbers(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    """Values of a field, the odd ones as often as all others together."""
    if dtype.kind == "f":
        return st.floats(width=8 * dtype.itemsize)
    if dtype.kind == "S":
        return st.binary(max_size=dtype.itemsize)
    ends = np.iinfo(dtype)
    near = [value for value in (0, 1, -1, 2, 3, 4, 8, 348, 540) if ends.min <= value <= ends.max]
    return st.sampled_from([*near, ends.min, ends.max]) | st.integers(ends.min, ends.max)


@st.composite
def headers(draw: st.DrawFn) -> File:
    """A good file with a few fields of its header set to anything."""
    form, order = draw(st.sampled_from(FORMS)), draw(st.sampled_from("<>"))
    content = image(form, draw(st.sampled_from(DTYPES)), order)
    size = form.sizeof_hdr
    header = np.frombuffer(content[:size], form.template_dtype.newbyteorder(order)).copy()
    names = draw(st.lists(st.sampled_from(sorted(header.dtype.names or ())), max_size=4))
    for name in names:
        field = header[name].reshape(-1)  # a view: one of several numbers, such as dim[3]
        place = draw(st.integers(0, field.size - 1))
        header[name].reshape(-1)[place] = draw(numbers(field.dtype))
    whole = header.tobytes() + content[size:]
    packed = gzip.compress(whole, 1, mtime=0) if draw(st.booleans()) else whole
    return File(draw(st.sampled_from(NAMES)), packed, draw(OPTIONS))


@st.composite
def damaged(draw: st.DrawFn) -> File:
    """A good file of any format with pieces replaced, taken out, put in or cut off."""
    small = SMALL.astype(np.float32)
    good = [image(form, "i2", "<") for form in FORMS] + [nib.MGHImage(small, AFFINE).to_bytes()]
    content = draw(st.sampled_from(good) | st.binary(max_size=1024))
    for _ in range(draw(st.integers(0, 4))):
        place, length = draw(st.integers(0, 600)), draw(st.integers(0, 8))
        content = content[:place] + draw(st.binary(max_size=8)) + content[place + length :]
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    packed = gzip.compress(content, 1, mtime=0) if draw(st.booleans()) else content
    return File(draw(st.sampled_from(NAMES)), packed, draw(OPTIONS))


@st.composite
def streams(draw: st.DrawFn) -> File:
    """Members of gzip one after another, each whole, raw, cut or with bits turned over."""
    content = image(nib.Nifti1Header, "i2", "<")
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    ends = zip([0, *cuts], [*cuts, len(content)], strict=True)
    members = []
    for first, last in ends:
        wide = draw(st.sampled_from((31, 31, 31, 31, 15, -15)))  # gzip, zlib and neither
        packer = zlib.compressobj(draw(st.sampled_from((0, 1, 9))), wbits=wide)
        members.append(packer.compress(content[first:last]) + packer.flush())
    whole = bytearray(b"".join(members) + draw(st.just(b"") | st.binary(max_size=64)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, 20) | st.integers(0, len(whole) - 1))
        whole[min(place, len(whole) - 1)] ^= draw(st.integers(0, 255))
    if draw(st.booleans()):
        whole = whole[: draw(st.integers(1, len(whole)))]
    return File(draw(st.sampled_from(NAMES[:2])), bytes(whole), draw(OPTIONS))


def read(file: File, folder: Path) -> None:
    """Read it as a brain; a header has its voxels beside it."""
    path = folder / file.name
    path.write_bytes(file.content)
    if path.suffix == ".hdr":
        path.with_suffix(".img").write_bytes(file.content)
    read_volume([path], "any", options=file.options)


IMAGES = (
    Target("NIfTI headers", headers(), read, 35),
    Target("bytes of images", damaged(), read, 15),
    Target("gzip streams", streams(), read, 10),
)
