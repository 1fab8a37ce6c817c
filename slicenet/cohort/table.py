"""A cohort as it was understood, for people."""

import os
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.case import Case
from slicenet.cohort.cohort import Cohort
from slicenet.images.printable import printable

WIDEST_LINE = 110
FOUND, BESIDE, GIVEN = "found", "beside", "given"  # where the brain mask comes from


@final
@dataclass(frozen=True)
class Described:
    """One case in words; paths are relative to the folder that all images share."""

    name: str
    images: tuple[str, ...]
    mask: str  # "found" from the image, "beside" it, or "given"
    truth: bool
    group: str


def describe(cohort: Cohort) -> tuple[Described, ...]:
    """What was understood of each case, in order."""
    top = shared_folder(cohort.cases)
    return tuple(_describe(case, top) for case in cohort.cases)


def render(cohort: Cohort, limit: int = 10) -> str:
    """Counts, the first `limit` cases as aligned lines, and the notices of the search."""
    top = shared_folder(cohort.cases)
    rows = [
        (case.name, " + ".join(case.images), case.mask, "yes" if case.truth else "-", case.group)
        for case in (_describe(case, top) for case in cohort.cases[:limit])
    ]
    titles = ("name", "images", "brain mask", "truth", "group")
    lines = [summarize(cohort), "", *align([titles, *rows], widest=60)]
    if len(cohort) > limit:
        lines.append(f"… and {len(cohort) - limit} more")
    for notice in cohort.notices:
        lines += wrapped(f"{notice.code}  ", printable(notice.message))
    return "\n".join(lines)


def summarize(cohort: Cohort) -> str:
    """One line: how many cases, where, in which groups, and with which masks."""
    cases = cohort.cases
    parts = [f"{len(cases)} {'case' if len(cases) == 1 else 'cases'} in {shared_folder(cases)}"]
    groups = Counter(case.group for case in cases if case.group)
    parts += [f"{count} {group}" for group, count in sorted(groups.items())]
    origins = Counter(map(mask_origin, cases))
    parts += [f"brain mask {origin} for {count}" for origin, count in sorted(origins.items())]
    truths = sum(case.truth is not None for case in cases)
    return printable(", ".join([*parts, f"truth for {truths}"] if truths else parts))


def mask_origin(case: Case) -> str:
    """Where the brain mask of a case comes from."""
    if case.mask is None:
        return FOUND
    return BESIDE if case.mask.parent == case.images[0].parent else GIVEN


def shared_folder(cases: Sequence[Case]) -> Path:
    """The deepest folder that holds all images."""
    parents = {image.parent for case in cases for image in case.images}
    return Path(os.path.commonpath([os.path.abspath(parent) for parent in parents]))


def align(rows: Sequence[Sequence[str]], widest: int = 40) -> list[str]:
    """Rows as lines with columns of even width, long cells shortened in the middle."""
    cells = [[shorten(printable(cell), widest) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(pad, row, widths)).rstrip() for row in cells]


def wrapped(start: str, text: str) -> list[str]:
    """The text behind `start`, in as many lines as it takes."""
    room = max(40, WIDEST_LINE - width(start))
    pieces = [textwrap.wrap(line, room, break_on_hyphens=False) for line in text.splitlines()]
    first, *others = [piece for line in pieces for piece in line] or [""]
    return [start + first, *(" " * width(start) + piece for piece in others)]


def shorten(text: str, widest: int) -> str:
    """The text itself, or its beginning and end with … between them."""
    if len(text) <= widest:
        return text
    return f"{text[: widest // 2]}…{text[-(widest - widest // 2 - 1) :]}"


def pad(text: str, columns: int) -> str:
    """The text with spaces after it."""
    return text + " " * (columns - width(text))


def width(text: str) -> int:
    """Columns on a terminal: Chinese and emoji take two, marks on a letter none."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def _describe(case: Case, top: Path) -> Described:
    return Described(
        case.name,
        tuple(os.path.relpath(image, top) for image in case.images),
        mask_origin(case),
        case.truth is not None,
        case.group,
    )
