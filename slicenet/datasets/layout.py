"""What is known of a public data set, and how a scan of one is told."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, final

from slicenet.datasets.files import Files

K = TypeVar("K", bound=Hashable)

HEALTHY, LESIONED = "healthy", "lesioned"
PICTURE = ""  # in place of a modality


@final
@dataclass(frozen=True)
class Scan:
    """One visit of a subject, or one picture."""

    subject: str
    images: Mapping[str, Path]  # by BIDS suffix, all of one space; a picture by `PICTURE`
    visit: str = ""
    version: str = ""  # one of the layout's, where the same visit is there in several
    group: str = ""  # "" unknown
    truth: Path | None = None
    labels: tuple[int, ...] = ()  # of the truth that count; none named: all above 0
    mask: Path | None = None  # of the brain
    site: str = ""
    tests: bool = False  # the set itself keeps it for testing


@final
@dataclass(frozen=True)
class Layout:
    """A public data set, known by the names of its files alone."""

    name: str  # as users type it
    title: str
    what: str
    where: str  # to get it
    terms: str
    reference: str
    roles: str  # who is healthy, who is not, and what the truth marks
    tree: str  # an example, one line a file
    mark: str  # pattern that the path of every image of the set matches
    read: Callable[[Files], list[Scan]]
    modalities: tuple[str, ...] = ()  # BIDS suffixes, the default first; none for pictures
    versions: tuple[str, ...] = ()  # of a visit, the default first
    whole: bool = False  # all of a picture is looked at, not the head in it

    @property
    def flat(self) -> bool:
        """Whether it holds pictures, not volumes."""
        return not self.modalities

    def preferred(self, scans: Iterable[Scan]) -> list[Scan]:
        """Of each visit the version that comes first."""
        scans = list(scans)
        best: dict[tuple[str, str], int] = {}
        for scan in scans:
            key = scan.subject, scan.visit
            best[key] = min(best.get(key, len(self.versions)), self._rank(scan))
        return [scan for scan in scans if self._rank(scan) == best[scan.subject, scan.visit]]

    def _rank(self, scan: Scan) -> int:
        return self.versions.index(scan.version) if scan.version in self.versions else 0


def joined(found: Iterable[tuple[K, str, Path]]) -> list[tuple[K, dict[str, Path]]]:
    """Images by modality for each key; a second one of its kind begins another set of images."""
    sets: list[tuple[K, dict[str, Path]]] = []
    here: dict[K, list[dict[str, Path]]] = {}
    for key, modality, path in found:
        own = here.setdefault(key, [])
        free = next((images for images in own if modality not in images), None)
        if free is None:
            free = {}
            own.append(free)
            sets.append((key, free))
        free[modality] = path
    return sets
