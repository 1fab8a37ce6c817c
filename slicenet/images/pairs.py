"""Header and voxels in two files: each leads to the other."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from slicenet.errors import VolumeError
from slicenet.images.printable import printable

NAME = re.compile(r"(?P<stem>.*)\.(?P<half>hdr|img)(?P<packing>\.gz)?", re.IGNORECASE | re.DOTALL)
OTHER = {"hdr": "img", "img": "hdr", "HDR": "IMG", "IMG": "HDR"}


class Pair(NamedTuple):
    """The two files of one image."""

    header: Path
    voxels: Path


def parts_of(path: Path) -> tuple[Path, ...]:
    """The files that make up an image: itself, or both halves of a pair."""
    return find_pair(path) or (path,)


def find_pair(path: Path) -> Pair | None:
    """The pair that a path belongs to by its name; none if it is a file of its own."""
    name = NAME.fullmatch(path.name)
    if not name or not os.path.lexists(path):
        return None
    half = name["half"]
    other = OTHER.get(half, OTHER[half.lower()])
    packing = name["packing"] or ""
    candidates = [
        path.with_name(f"{name['stem']}.{other}{ending}")
        for ending in (packing, "" if packing else ".gz")
    ]
    found = next((candidate for candidate in candidates if os.path.lexists(candidate)), None)
    if found is None:
        message = f"has no {printable(candidates[0].name)} beside it, the other half of the pair"
        raise VolumeError(message, "E_NOT_FOUND")
    return Pair(path, found) if half.lower() == "hdr" else Pair(found, path)
