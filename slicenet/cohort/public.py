"""Folders that hold a public data set: its scans under the names that filters understand."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.choice import Candidate
from slicenet.cohort.folders import Folder
from slicenet.cohort.naming import FileName, parse, safe
from slicenet.cohort.query import Query
from slicenet.cohort.roles import TEST
from slicenet.cohort.rows import Row
from slicenet.datasets import Files, Found, Layout, Scan, recognise_files
from slicenet.errors import Notice
from slicenet.images.printable import printable

SHOWN = 5  # names in a message


@final
@dataclass(frozen=True)
class Published:
    """A candidate of a public data set, and all that the set says of it."""

    candidate: Candidate
    scan: Scan
    whole: bool

    def row(self, images: tuple[Path, ...]) -> Row:
        """The case of these images, of which this is the first."""
        scan, path = self.scan, self.candidate.path
        known = parse(path.name) == self.candidate.name
        return Row(
            images,
            scan.mask,
            scan.truth,
            "" if known else self.candidate.name.stem,
            scan.group,
            scan.labels,
            scan.site,
            TEST if scan.tests else "",
            self.whole,
        )


def find_published(
    folders: Sequence[Folder], query: Query
) -> tuple[list[Published], list[Notice]] | None:
    """The scans of the data set that a folder and those below it hold; none if it holds none."""
    files = Files(
        folder.path / name
        for folder in folders
        for name in sorted(folder.names.difference(folder.folders))
        if not name.startswith(".")
    )
    found = recognise_files(files)
    if found is None:
        return None
    scans = list(found.scans) if query.desc else found.layout.preferred(found.scans)
    published = [
        Published(
            Candidate(path, _name(scan, modality, path), True), scan, found.layout.whole
        )
        for scan in scans
        for modality, path in scan.images.items()
    ]  # fmt: skip
    return published, _notices(folders[0].path, found)


def _name(scan: Scan, modality: str, path: Path) -> FileName:
    """The name as BIDS would have it, if the file has none of BIDS; pictures keep plain ones."""
    own = parse(path.name)
    if own.in_bids:
        return own
    if not modality:
        return FileName(safe(scan.subject))
    pairs = [("sub", scan.subject), ("ses", scan.visit), ("desc", scan.version)]
    entities = tuple((key, label.replace("_", "-")) for key, label in pairs if label)
    stem = "_".join([*(f"{key}-{label}" for key, label in entities), modality])
    return FileName(stem, entities, modality)


def _notices(top: Path, found: Found) -> list[Notice]:
    groups = Counter({scan.subject: scan.group or "unknown" for scan in found.scans}.values())
    told = ", ".join(f"{count} {group}" for group, count in sorted(groups.items()))
    count = groups.total()
    noun = "subject" if count == 1 else "subjects"
    text = f"{printable(top)}: read as {found.layout.title}, {count} {noun} ({told})"
    notices = [Notice("W_LAYOUT", f"{text}{_choices(found.layout)}")]
    if found.foreign:
        names = [os.path.relpath(path, top) for path in found.foreign]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        text = f"left out because {found.layout.title} has no such names"
        notices.append(Notice("W_LEFT_OUT", f"{text}: {', '.join(names[:SHOWN])}{more}"))
    return notices


def _choices(layout: Layout) -> str:
    """Which options choose among what the set holds."""
    words = []
    if len(layout.modalities) > 1:
        words.append(f"--suffix chooses among {', '.join(layout.modalities)}")
    if layout.versions:
        words.append(f"--desc among {', '.join(layout.versions)}")
    return "".join(f"; {word}" for word in words)
