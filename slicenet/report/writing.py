"""From the folder that scoring left to its pages; a page that would not change is left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet import files
from slicenet.cohort import Case
from slicenet.errors import Notice, SlicenetError
from slicenet.images.printable import printable
from slicenet.metrics.truths import Truths, find_truths
from slicenet.report.folder import GROUP, Entry, Failure, Scored, read_folder
from slicenet.report.group import Drawn, group_page
from slicenet.report.page import Subject, subject
from slicenet.report.reading import Sources, read_layers
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True)
class Written:
    """What became of a report."""

    scored: Scored
    drawn: tuple[Drawn, ...]
    changed: tuple[Path, ...]  # pages that were written; the others were as they should be
    broken: tuple[Failure, ...]  # scored, but nothing could be shown of them
    notices: tuple[Notice, ...]

    @property
    def pages(self) -> tuple[Path, ...]:
        """Every page, that of all cases last."""
        return (*(one.entry.page for one in self.drawn), self.scored.folder / GROUP)


def write_report(
    folder: Path, truth: Path | None = None, images: Mapping[str, Case] | None = None,
    watch: Watch = silent,
) -> Written:  # fmt: skip
    """Write a page for each case of `folder` and one for all of them.

    Images are those of `images` by name of the case, else those that were scored, where they were.
    """
    scored = read_folder(folder)
    truths = find_truths(truth, scored.maps.files) if truth else Truths({})
    sources = Sources(folder, images or {}, truths, scored.options)
    drawn: list[Drawn] = []
    changed: list[Path] = []
    broken: list[Failure] = []
    for number, entry in enumerate(scored.entries, start=1):
        try:
            made = _subject(scored, entry, sources)
        except (SlicenetError, OSError, KeyError) as error:
            broken.append(_broken(entry, error))
            files.remove(entry.page)  # nobody shall take an old one for this map
        else:
            changed += _write(entry.page, made.html)
            drawn.append(Drawn(entry, made.thumbnail, made.pieces))
        watch("report", number, len(scored.entries))
    page = group_page(scored, drawn, broken, notices=truths.notices)
    changed += _write(folder / GROUP, page)
    return Written(scored, tuple(drawn), tuple(changed), tuple(broken), truths.notices)


def _subject(scored: Scored, entry: Entry, sources: Sources) -> Subject:
    layers, notices = read_layers(entry, sources)
    return subject(scored, entry, layers, notices)


def _broken(entry: Entry, error: Exception) -> Failure:
    if isinstance(error, SlicenetError):
        return Failure(entry.file.name, error.code, error.message, error.hint)
    if isinstance(error, OSError):
        code = "E_NOT_FOUND" if isinstance(error, FileNotFoundError) else "E_READ"
        return Failure(entry.file.name, code, printable(error), "score it again")
    text = f"its sidecar lacks {error}"
    return Failure(entry.file.name, "E_UNFINISHED", text, "score it again")


def _write(path: Path, page: str) -> Sequence[Path]:
    """Write the page if it is not there already; return what changed."""
    content = page.encode("utf-8", "backslashreplace")
    if path.is_symlink() or not path.is_file() or files.read_bytes(path) != content:
        files.write_bytes(path, content)
        return [path]
    return []
