"""Tables of cases: `path[,mask][,truth][,id][,group]`, comma or tab separated."""

import csv
import difflib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from slicenet.cohort.folders import Folders
from slicenet.errors import ConfigError, Notice
from slicenet.images.printable import printable
from slicenet.images.texts import read_text

COLUMNS = ("path", "mask", "truth", "id", "group")
BLANK = frozenset({"", "n/a", "N/A", "NA", "nan"})  # BIDS writes n/a
SHOWN = 10  # bad rows in a message


@final
@dataclass(frozen=True)
class Row:
    """One case of a table or of a data set, its paths made whole; all its files exist."""

    images: tuple[Path, ...]
    mask: Path | None = None
    truth: Path | None = None
    id: str = ""
    group: str = ""
    labels: tuple[int, ...] = ()  # of the truth that count; none named: all above 0
    site: str = ""
    role: str = ""
    whole: bool = False  # all of a picture is looked at


@final
class _BadRowError(Exception):
    """A row that cannot be used, and why."""

    def __init__(self, reason: str, code: str = "E_TABLE") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def read_rows(
    table: Path, sequences: Sequence[str], folders: Folders
) -> tuple[list[Row], list[Notice]]:
    """The cases of a table; `sequences` names the columns that hold images, else `path` does."""
    lines = _read_lines(table)
    columns, notices = _columns(table, [printable(cell.strip()) for cell in lines[0][1]], sequences)
    rows, bad, incomplete = [], [], []
    for number, cells in lines[1:]:
        try:
            row = _row(table.parent, _by_column(columns, cells), sequences, folders)
        except _BadRowError as problem:
            bad.append((number, problem))
            continue
        if len(row.images) < max(1, len(sequences)):
            incomplete.append(f"row {number} ({row.id or row.images[0].name})")
        else:
            rows.append(row)
    if bad:
        raise _refusal(table, bad, len(lines) - 1)
    if incomplete:
        text = (
            f"{printable(table)}: left out because a sequence is missing: {', '.join(incomplete)}"
        )
        notices.append(Notice("W_SEQUENCE", text))
    return rows, notices


def _read_lines(table: Path) -> list[tuple[int, list[str]]]:
    """The line number and the cells of each row that is not blank, the header first."""
    text = read_text(table)
    if "\0" in text[:100]:
        raise ConfigError(f"{printable(table)}: not UTF-8 text", "E_TABLE", "save it as CSV UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(table, text))
    try:
        lines = [
            (reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise ConfigError(
            f"{printable(table)}: row {reader.line_num}: {error}", "E_TABLE"
        ) from error
    if len(lines) < 2:
        raise ConfigError(
            f"{printable(table)}: no rows", "E_TABLE", f"columns: {', '.join(COLUMNS)}"
        )
    return lines


def _delimiter(table: Path, text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    expected = "\t" if table.suffix.lower() == ".tsv" else ","
    # Spreadsheets of half of Europe write semicolons into their .csv.
    return next((mark for mark in (expected, "\t", ";", ",") if mark in header), expected)


def _columns(
    table: Path, header: list[str], sequences: Sequence[str]
) -> tuple[list[str], list[Notice]]:
    """The names of the columns as we know them, and what is said of the others."""
    names = [name.lower() if name.lower() in COLUMNS else name for name in header]
    images = list(sequences) or ["path"]
    known = [*images, *(name for name in COLUMNS if name != "path")]
    twice = sorted({name for name in names if names.count(name) > 1 and name in known})
    if twice:
        raise ConfigError(f"{printable(table)}: two columns called {twice[0]}", "E_TABLE")
    lacking = [name for name in images if name not in names]
    if lacking:
        text = f"{printable(table)}: no column {lacking[0]}"
        raise ConfigError(text, "E_TABLE", _columns_hint(lacking[0], names))
    strange = [name for name in names if name and name not in known]
    for name in strange:
        meant = [other for other in known if other not in names and _misspelt(name, other)]
        if meant:
            text = f"{printable(table)}: unknown column {name}"
            raise ConfigError(text, "E_TABLE", f"did you mean {meant[0]}?")
    if not strange:
        return names, []
    return names, [
        Notice("W_COLUMN", f"{printable(table)}: columns not used: {', '.join(strange)}")
    ]


def _columns_hint(lacking: str, names: list[str]) -> str:
    close = difflib.get_close_matches(lacking, names, 1)
    meant = f"is it {close[0]}? " if close else ""
    return f"{meant}columns are {', '.join(names)}; name those of images with --sequences"


def _misspelt(name: str, known: str) -> bool:
    """Whether a name is surely a slip: `task` is a word of its own, `maks` is not."""
    ratio = difflib.SequenceMatcher(None, name.lower(), known).ratio()
    return ratio > 0.8 or sorted(name.lower()) == sorted(known)


def _by_column(columns: list[str], cells: list[str]) -> Mapping[str, str]:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        raise _BadRowError(f"{len(cells)} cells for {len(columns)} columns")
    values = (cell.strip(" \t") for cell in cells)
    return {
        name: "" if cell in BLANK else cell for name, cell in zip(columns, values, strict=False)
    }


def _row(base: Path, cells: Mapping[str, str], sequences: Sequence[str], folders: Folders) -> Row:
    identity = cells.get("id", "")
    if identity in (".", "..") or any(mark in identity for mark in "/\\\0\n\r"):
        raise _BadRowError(f"id {identity!r} is not a name", "E_ID")
    names = [cells.get(name, "") for name in sequences or ["path"]]
    if not any(names):
        raise _BadRowError("no path")
    files = {name: _file(base, cells.get(name, ""), folders) for name in ("mask", "truth")}
    images = [_file(base, name, folders) for name in names if name]
    return Row(
        tuple(path for path in images if path),
        files["mask"],
        files["truth"],
        identity,
        cells.get("group", ""),
    )


def _file(base: Path, cell: str, folders: Folders) -> Path | None:
    if not cell:
        return None
    path = base / cell
    # The fallback asks a file system to which upper and lower case are one.
    if path.name not in folders[path.parent].names and not os.path.lexists(path):
        raise _BadRowError(f"no such file: {path}", "E_NOT_FOUND")
    return path


def _refusal(table: Path, bad: list[tuple[int, _BadRowError]], total: int) -> ConfigError:
    """One error that lists the first bad rows."""
    listed = "; ".join(
        f"row {number}: {printable(problem.reason)}" for number, problem in bad[:SHOWN]
    )
    more = f"; and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    codes = {problem.code for _, problem in bad}
    code = codes.pop() if len(codes) == 1 else "E_TABLE"
    text = f"{printable(table)}: {len(bad)} of {total} rows cannot be used: {listed}{more}"
    return ConfigError(text, code, "row 1 is the header")
