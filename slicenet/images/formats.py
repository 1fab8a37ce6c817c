"""What a file is, by its first bytes; its name is not asked."""

from enum import Enum
from pathlib import Path
from typing import NamedTuple, NoReturn

from slicenet.errors import VolumeError
from slicenet.images.inflate import MAGIC as GZIP
from slicenet.images.printable import printable
from slicenet.images.regular import fetch_from_annex

HEAD = 1024  # bytes that tell every format apart

NIFTI1_SIZES = (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c")  # 348 in either byte order
NIFTI2_SIZES = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")  # 540
NIFTI1_MAGICS = (b"n+1\0", b"ni1\0")
NIFTI2_MAGICS = (b"n+2\0", b"ni2\0")
MGH_VERSION = b"\x00\x00\x00\x01"

LFS = b"version https://git-lfs.github.com/spec"
ANNEX = b"/annex/objects/"
MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml", b"<error")


class Format(Enum):
    """The kinds of headers that can be read."""

    NIFTI1 = "NIfTI-1"
    NIFTI2 = "NIfTI-2"
    MGH = "MGH"


class Foreign(NamedTuple):
    """A format that is recognised only to say what to do with it."""

    offset: int
    magic: bytes
    name: str
    hint: str

    def refusal(self) -> VolumeError:
        """The error that says what the file is."""
        return VolumeError(f"is {self.name}, not NIfTI", "E_NOT_NIFTI", self.hint)


DICOM = Foreign(128, b"DICM", "a DICOM file", "convert the whole series with dcm2niix")
UNPACK = "unpack it first"
FOREIGN = (
    DICOM,
    Foreign(0, b"NRRD", "an NRRD file", "convert it with 3D Slicer, or: c3d IN.nrrd -o OUT.nii.gz"),
    Foreign(0, b"ObjectType", "a MetaImage file", "convert it: c3d IN.mha -o OUT.nii.gz"),
    Foreign(0, b"NDims", "a MetaImage file", "convert it: c3d IN.mha -o OUT.nii.gz"),
    Foreign(0, b"\x89HDF", "an HDF5 or MINC-2 file", "convert MINC with mnc2nii"),
    Foreign(0, b"CDF\x01", "a MINC-1 file", "convert it with mnc2nii"),
    Foreign(0, b"\ntype = ", "an AFNI header", "convert it: 3dAFNItoNIFTI"),
    Foreign(0, b"\x93NUMPY", "a NumPy array", "save it as NIfTI with its affine"),
    Foreign(0, b"PK\x03\x04", "a zip archive", UNPACK),
    Foreign(0, b"BZh", "packed with bzip2", "repack it: bunzip2, then gzip"),
    Foreign(0, b"\xfd7zXZ", "packed with xz", "repack it: unxz, then gzip"),
    Foreign(0, b"\x28\xb5\x2f\xfd", "packed with zstd", "repack it: unzstd, then gzip"),
    Foreign(257, b"ustar", "a tar archive", UNPACK),
    Foreign(0, b"\x89PNG", "a PNG picture", ""),
    Foreign(0, b"\xff\xd8\xff", "a JPEG picture", ""),
    Foreign(0, GZIP, "packed with gzip twice", "gunzip it once"),
)

# Formats that no mark of their own gives away.
HINTS = {
    **dict.fromkeys((".dcm", ".ima", ".par", ".rec"), "convert it with dcm2niix"),
    ".brik": "convert it: 3dAFNItoNIFTI",
}


def recognise(head: bytes, path: Path) -> Format:
    """The format of a file that begins with `head`, or a refusal that says what it is instead."""
    start = head[:4]
    if head.startswith(DICOM.magic, DICOM.offset):  # what stands before its mark means nothing
        raise DICOM.refusal()
    if start in NIFTI1_SIZES or head[344:348] in NIFTI1_MAGICS:
        return Format.NIFTI1
    if start in NIFTI2_SIZES or head[4:8] in NIFTI2_MAGICS:
        return Format.NIFTI2
    if start == MGH_VERSION and len(head) > len(MGH_VERSION):
        return Format.MGH
    refuse_pointer(head, path)
    _refuse_foreign(head, HINTS.get(path.suffix.lower(), ""))


def refuse_pointer(head: bytes, path: Path) -> None:
    """Refuse a note by git-LFS or git-annex that stands where a file's content belongs."""
    if head.startswith(LFS):
        raise VolumeError(
            "is a git-LFS pointer, its content was never fetched", "E_POINTER", "run: git lfs pull"
        )
    if ANNEX in head.replace(b"\\", b"/").partition(b"\n")[0]:
        message = "is a git-annex pointer, its content was never fetched"
        raise VolumeError(message, "E_POINTER", fetch_from_annex(path))


def _refuse_foreign(head: bytes, hint: str) -> NoReturn:
    for kind in FOREIGN:
        if head.startswith(kind.magic, kind.offset):
            raise kind.refusal()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(MARKUP) and b"gifti" in text:
        raise VolumeError("is a GIFTI surface, not a volume", "E_NOT_NIFTI")
    if text.startswith(MARKUP):
        raise VolumeError(
            "looks like HTML or XML, not NIfTI",
            "E_NOT_NIFTI",
            "the download may have failed: open it in a text editor to see why",
        )
    start = printable(head[:16].decode("latin-1"))
    message = f"is neither NIfTI nor MGH: it begins with '{start}'"
    raise VolumeError(message, "E_NOT_NIFTI", hint)
