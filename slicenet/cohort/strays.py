"""Masks and labels that belong to no image: said aloud, because somebody may count on them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from slicenet.cohort.case import Case
from slicenet.cohort.folders import Folders
from slicenet.cohort.naming import FileName, parse
from slicenet.errors import Notice

SHOWN = 3


def note_strays(
    cases: Sequence[Case], searched: Iterable[Path], named: Iterable[Path], folders: Folders
) -> list[Notice]:
    """A notice on masks that are ignored: of `searched` folders, those `named`, and near images."""
    used = {path for case in cases for path in (case.mask, case.truth, *case.images)}
    ignored = {path for path in named if path not in used}
    whole = set(searched)
    for parent, images in _by_folder(cases).items():
        ignored |= {
            parent / stray
            for stray in folders[parent].strays
            if parent in whole or not images.isdisjoint(_owners(parse(stray)))
        }
    ignored -= used
    if not ignored:
        return []
    names = sorted(path.name for path in ignored)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    text = f"ignored, no image here has such a mask: {', '.join(names[:SHOWN])}{more}"
    return [Notice("W_MASK_IGNORED", text)]


def _by_folder(cases: Sequence[Case]) -> dict[Path, set[str]]:
    """What the masks of the cases' images begin with, by folder."""
    owners: dict[Path, set[str]] = {}
    for case in cases:
        for image in case.images:
            name = parse(image.name)
            start = f"sub-{name.entity('sub')}" if name.in_bids else name.stem
            owners.setdefault(image.parent, set()).add(start)
    return owners


def _owners(stray: FileName) -> Iterator[str]:
    """All beginnings of a name that end before an underscore."""
    parts = stray.stem.split("_")
    return ("_".join(parts[:count]) for count in range(1, len(parts)))
