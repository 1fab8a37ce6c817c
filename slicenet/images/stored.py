"""A file's voxels as they come, with everything about the file checked but their values."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

import numpy as np

from slicenet.errors import Notice, VolumeError
from slicenet.files import digest
from slicenet.images.claim import Claim
from slicenet.images.extensions import skip_extensions
from slicenet.images.formats import HEAD, Format, recognise, refuse_pointer
from slicenet.images.geometry import Place, place_mgh, place_nifti, place_picture
from slicenet.images.header import EXTENDER, LARGEST_OFFSET, Parsed, parse_nifti
from slicenet.images.mgz import parse_mgh
from slicenet.images.options import ReadOptions
from slicenet.images.pairs import Pair, find_pair
from slicenet.images.picture_file import is_picture, read_grey
from slicenet.images.stream import ByteStream, open_stream
from slicenet.images.voxels import Extent, read_voxels

PACKED = (".gz", ".mgz")


@final
@dataclass(frozen=True, eq=False)
class Stored:
    """One volume of a file, read to its end."""

    voxels: np.ndarray  # [X, Y, Z] float32, may hold NaN and Inf
    extent: Extent
    place: Place
    notices: tuple[Notice, ...]
    digest: str  # SHA-256 of the file's bytes, of the header's first where there are two files


class Described(NamedTuple):
    """What is known before any voxel is read."""

    claim: Claim
    place: Place
    volume: int  # which one to read
    parsed: Parsed | None  # none for MGH


class Content(NamedTuple):
    """What follows a header."""

    voxels: np.ndarray
    extent: Extent
    notices: tuple[Notice, ...]


def read_stored(path: Path, options: ReadOptions) -> Stored:
    """Read a file, or the pair of files that it belongs to."""
    if is_picture(path.name):
        return _read_picture(path)
    pair = find_pair(path)
    return _read_pair(pair, options) if pair else _read_single(path, options)


def _read_picture(path: Path) -> Stored:
    """Columns, rows and one slice."""
    grey = read_grey(path)
    extent = Extent(float(grey.min()), float(grey.max()), True)
    place = place_picture(grey.shape[1], grey.shape[0])
    return Stored(np.ascontiguousarray(grey.T)[..., None], extent, place, (), digest(path))


def _read_single(path: Path, options: ReadOptions) -> Stored:
    seen = hashlib.sha256()
    with open_stream(path, seen.update) as stream:
        described = _describe(stream.peek(HEAD), path, options, single=True)
        passed = _pass_extensions(stream, described.parsed, described.claim.offset)
        content = _read_content(stream, described, path)
    return _joined(described, passed, content, seen.hexdigest())


def _read_pair(pair: Pair, options: ReadOptions) -> Stored:
    seen = hashlib.sha256()
    with open_stream(pair.header, seen.update) as stream:
        described = _describe(stream.peek(HEAD), pair.header, options, single=False)
        passed = _pass_extensions(stream, described.parsed, LARGEST_OFFSET)
        stream.finish()
    with open_stream(pair.voxels, seen.update) as stream:
        refuse_pointer(stream.peek(HEAD), pair.voxels)
        content = _read_content(stream, described, pair.voxels)
    return _joined(described, passed, content, seen.hexdigest())


def _describe(head: bytes, path: Path, options: ReadOptions, single: bool) -> Described:
    kind = recognise(head, path)
    if kind is not Format.MGH:
        parsed = parse_nifti(head, kind, single, options)
        place = place_nifti(parsed.header, parsed.claim.shape, options)
        return Described(parsed.claim, place, parsed.claim.wanted(options), parsed)
    if not single:
        raise VolumeError("is MGH, named as one of a pair", "E_HEADER", "name it .mgh or .mgz")
    mgh = parse_mgh(head, options)
    place = place_mgh(mgh.affine, mgh.spacing, mgh.claim.shape, options)
    return Described(mgh.claim, place, mgh.claim.wanted(options), None)


def _pass_extensions(stream: ByteStream, parsed: Parsed | None, end: int) -> tuple[Notice, ...]:
    if parsed is None or not parsed.extended:
        return ()
    stream.skip(parsed.header.sizeof_hdr + EXTENDER)
    return skip_extensions(stream, end, parsed.order)


def _read_content(stream: ByteStream, described: Described, path: Path) -> Content:
    voxels, extent = read_voxels(stream, described.claim, described.volume)
    after = stream.finish()
    notices = []
    if stream.packed is not path.name.lower().endswith(PACKED):
        text = "is packed with gzip, its name says not" if stream.packed else "is not packed"
        notices.append(Notice("W_NAME", f"{text}: read by what it is"))
    if after and not described.claim.trailer:
        notices.append(Notice("W_JUNK", f"{after:,} bytes after the voxels were ignored"))
    return Content(voxels, extent, tuple(notices))


def _joined(
    described: Described, passed: tuple[Notice, ...], content: Content, digest: str
) -> Stored:
    claim, place = described.claim, described.place
    notices = (*claim.notices, *place.notices, *passed, *content.notices)
    return Stored(content.voxels, content.extent, place, notices, digest)
