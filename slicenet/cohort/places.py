"""What the user named: tables, files and folders, with patterns filled in."""

import difflib
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.naming import ENDINGS, ending
from slicenet.errors import NoInputError
from slicenet.images.picture_file import is_picture
from slicenet.images.printable import printable

TABLES = (".tsv", ".csv")
# Tables that BIDS itself keeps beside images; they list no files to read.
BIDS_TABLES = ("participants.tsv", "samples.tsv", "_sessions.tsv", "_scans.tsv", "_events.tsv")


@final
@dataclass(frozen=True)
class Places:
    """Existing paths by what they are."""

    tables: tuple[Path, ...]
    files: tuple[Path, ...]  # what claims to be an image, whatever it is
    folders: tuple[Path, ...]
    others: tuple[Path, ...]  # files of other kinds, named along with images


def sort_places(places: Sequence[Path]) -> Places:
    """Fill in patterns and tell tables, files and folders apart; all must exist."""
    if not places:
        raise NoInputError("nothing was named", "E_NO_INPUT", _looked_for())
    paths = [path for place in places for path in _expand(place)]
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        message = f"{printable(missing[0])}: no such file or folder{more}"
        raise NoInputError(message, "E_NOT_FOUND", _meant(missing[0]))
    kinds: dict[str, list[Path]] = {"table": [], "file": [], "folder": [], "other": []}
    for path in paths:
        kinds[_kind(path, alone=len(paths) == 1)].append(path)
    return Places(*map(tuple, kinds.values()))


def _kind(path: Path, alone: bool) -> str:
    if _is_folder(path) and not ending(path.name):
        return "folder"
    if path.name.endswith(BIDS_TABLES):
        return "other"
    if path.suffix.lower() in TABLES:
        return "table"
    return "file" if ending(path.name) or is_picture(path.name) or alone else "other"


def _expand(place: Path) -> list[Path]:
    """The paths that match a pattern, sorted; a path that exists stands for itself."""
    if os.path.lexists(place) or not glob.has_magic(str(place)):
        return [place]
    found = sorted(glob.glob(str(place), recursive=True))
    if not found:
        raise NoInputError(
            f"{printable(place)}: nothing matches this pattern", "E_NO_INPUT", _looked_for()
        )
    return [Path(name) for name in found]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _meant(path: Path) -> str:
    """The existing neighbour whose name is closest to the first part that is missing."""
    lost = path
    while not os.path.lexists(lost.parent) and lost.parent != lost:
        lost = lost.parent
    try:
        siblings = os.listdir(lost.parent)
    except OSError:
        return ""
    close = difflib.get_close_matches(lost.name, siblings, 1)
    return f"did you mean {printable(lost.parent / close[0])}?" if close else ""


def _looked_for() -> str:
    endings = " ".join(ENDINGS)
    return f"name images ({endings}), folders, a pattern, a BIDS root, or a table (.tsv .csv)"
