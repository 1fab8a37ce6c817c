"""The bad files of group A: what can be wrong with a file as such."""

import gzip
import os
import socket
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.slicenet.images.brains import AFFINE, brain, image, packed, plain, put, save

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234567\n"
ANNEX = b"/annex/objects/MD5E-s1234567--d41d8cd98f00b204e9800998ecf8427e.nii.gz\n"
DICOM = bytes(128) + b"DICM" + bytes(64)


def empty(folder: Path) -> Path:
    return put(folder, "a01-empty.nii.gz", b"")


def gzip_of_nothing(folder: Path) -> Path:
    return put(folder, "a02-gzip-of-nothing.nii.gz", packed(b""))


def cut_in_half(folder: Path) -> Path:
    content = packed(plain())
    return put(folder, "a03-cut-in-half.nii.gz", content[: len(content) // 2])


def without_trailer(folder: Path) -> Path:
    return put(folder, "a04-without-trailer.nii.gz", packed(plain())[:-8])


def with_wrong_checksum(folder: Path) -> Path:
    content = bytearray(packed(plain()))
    content[-8] ^= 1
    return put(folder, "a05-wrong-checksum.nii.gz", bytes(content))


def with_flipped_bit(folder: Path) -> Path:
    content = bytearray(packed(plain()))
    content[len(content) // 2] ^= 16
    return put(folder, "a06-flipped-bit.nii.gz", bytes(content))


def shorter_than_claimed(folder: Path) -> Path:
    return put(folder, "a07-too-short.nii", plain()[:-1000])


def shorter_than_claimed_packed(folder: Path) -> Path:
    return put(folder, "a07-too-short-packed.nii.gz", packed(plain()[:-1000]))


def part_of_a_header(folder: Path) -> Path:
    return put(folder, "a08-part-of-a-header.nii", plain()[:100])


def plain_named_packed(folder: Path) -> Path:
    return put(folder, "a09-not-packed.nii.gz", plain())


def packed_named_plain(folder: Path) -> Path:
    return put(folder, "a10-packed.nii", packed(plain()))


def html(folder: Path) -> Path:
    return put(folder, "a11-login-page.nii.gz", HTML)


def lfs_pointer(folder: Path) -> Path:
    return put(folder, "a12-lfs-pointer.nii.gz", LFS)


def annex_pointer(folder: Path) -> Path:
    return put(folder, "a12-annex-pointer.nii.gz", ANNEX)


def annex_link(folder: Path) -> Path:
    path = folder / "a12-annex-link.nii.gz"
    path.symlink_to(".git/annex/objects/1f/2a/MD5E-s12--00.nii.gz/MD5E-s12--00.nii.gz")
    return path


def junk_after_gzip(folder: Path) -> Path:
    return put(folder, "a13-junk-after-gzip.nii.gz", packed(plain()) + b"junk" * 20)


def junk_inside_gzip(folder: Path) -> Path:
    return put(folder, "a13-junk-inside-gzip.nii.gz", packed(plain() + b"junk" * 20))


def junk_after_plain(folder: Path) -> Path:
    return put(folder, "a13-junk.nii", plain() + b"junk" * 20)


def gzip_members(folder: Path) -> Path:
    content = plain()
    parts = [content[start : start + 50_000] for start in range(0, len(content), 50_000)]
    return put(folder, "a14-members.nii.gz", b"".join(map(packed, parts)))


def bomb(folder: Path) -> Path:
    zeros = gzip.compress(bytes(2**24), 9, mtime=0)
    return put(folder, "a15-bomb.nii.gz", packed(plain()) + zeros * 128)  # 2 MB for 2 GB


def directory(folder: Path) -> Path:
    path = folder / "a16-folder.nii.gz"
    path.mkdir()
    return path


def pipe(folder: Path) -> Path:
    path = folder / "a16-pipe.nii.gz"
    os.mkfifo(path)
    return path


def device(folder: Path) -> Path:
    path = folder / "a16-device.nii.gz"
    path.symlink_to("/dev/zero")
    return path


def socket_file(folder: Path) -> Path:
    path = folder / "a16-socket.nii.gz"
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)  # the address of a socket holds 108 bytes only
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.fchdir(before)
        os.close(before)
    return path


def unreadable(folder: Path) -> Path:
    path = put(folder, "a17-unreadable.nii.gz", packed(plain()))
    path.chmod(0)
    return path


def dangling_link(folder: Path) -> Path:
    path = folder / "a18-dangling.nii.gz"
    path.symlink_to("nowhere.nii.gz")
    return path


def looping_link(folder: Path) -> Path:
    path = folder / "a18-loop.nii.gz"
    path.symlink_to(path.name)
    return path


def not_utf8(folder: Path) -> Path:
    return put(folder, os.fsdecode(b"a19-\xff\xfe.nii.gz"), packed(plain()))


def newline(folder: Path) -> Path:
    return put(folder, "a19-new\nline\x1b[31m.nii.gz", packed(plain()))


def leading_dash(folder: Path) -> Path:
    return put(folder, "-a19-dash.nii.gz", packed(plain()))


def longest_name(folder: Path) -> Path:
    return put(folder, "a19-".ljust(248, "x") + ".nii.gz", packed(plain()))


def emoji(folder: Path) -> Path:
    return put(folder, "a19-\N{BRAIN}.nii.gz", packed(plain()))


def pair(folder: Path) -> Path:
    save(folder, "a21-pair.img", nib.Nifti1Pair(brain(), AFFINE, image().header))
    return folder / "a21-pair.hdr"


def mgz(folder: Path) -> Path:
    return save(folder, "a21-good.mgz", nib.MGHImage(brain(np.float32), AFFINE))


def nrrd(folder: Path) -> Path:
    return put(folder, "a21-image.nrrd", b"NRRD0004\ntype: short\ndimension: 3\n\n" + bytes(64))


def dicom_file(folder: Path) -> Path:
    return put(folder, "a21-slice.dcm", DICOM)


def dicom_folder(folder: Path) -> Path:
    path = folder / "a21-series"
    path.mkdir()
    put(path, "0001.dcm", DICOM)
    return path
