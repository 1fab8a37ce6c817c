"""Who fits, who calibrates and who is tested: a table of subjects, kept beside a study."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slicenet import files
from slicenet.cohort.cohort import Cohort
from slicenet.errors import ConfigError, NoInputError
from slicenet.images.printable import printable
from slicenet.images.texts import read_text

FIT, CALIBRATE, TEST = ROLES = ("fit", "calibrate", "test")
COLUMNS = ("subject", "role")
SHOWN = 5  # subjects in a message


def read_roles(path: Path) -> Mapping[str, str]:
    """The role of each subject in a table with the columns subject and role."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline=""), delimiter="\t"))
    except csv.Error as error:
        raise ConfigError(
            f"{printable(path)}: not a table of roles ({error})", "E_SPLIT"
        ) from error
    if not rows or not set(COLUMNS) <= set(rows[0]):
        hint = f"tab-separated, with a header: {', '.join(COLUMNS)}; `slicenet split` writes one"
        raise ConfigError(f"{printable(path)}: not a table of roles", "E_SPLIT", hint)
    places = [rows[0].index(name) for name in COLUMNS]
    roles: dict[str, str] = {}
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cells):
            continue
        subject, role = (cells[place].strip() if place < len(cells) else "" for place in places)
        subject = subject.removeprefix("sub-")
        if not subject or role not in ROLES:
            text = f"{printable(path)}: row {number}: role {printable(role) or 'of nobody'!r}"
            raise ConfigError(text, "E_SPLIT", f"have {', '.join(ROLES)}")
        if subject in roles:
            text = f"{printable(path)}: row {number}: {printable(subject)} is there twice"
            raise ConfigError(text, "E_SPLIT", "each subject has one role")
        roles[subject] = role
    return roles


def write_roles(path: Path, roles: Mapping[str, str]) -> None:
    """Write a table that `read_roles` reads."""
    rows = ["\t".join(COLUMNS), *("\t".join(row) for row in roles.items())]
    files.write_text(path, "\n".join(rows) + "\n")


def assigned(cohort: Cohort, roles: Mapping[str, str]) -> Cohort:
    """The cohort with the role of each subject; every one of its subjects must have one."""
    lost = sorted({subject for subject in subjects(cohort) if subject not in roles})
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        text = f"the split does not know {', '.join(map(printable, lost[:SHOWN]))}{more}"
        raise ConfigError(text, "E_SPLIT", "choose subjects, or split this very cohort")
    pairs = zip(cohort.cases, subjects(cohort), strict=True)
    return replace(cohort, cases=tuple(replace(case, role=roles[own]) for case, own in pairs))


def having(cohort: Cohort, wanted: Iterable[str]) -> Cohort:
    """The cases whose role is one of those wanted."""
    asked = set(wanted)
    kept = [index for index, case in enumerate(cohort.cases) if case.role in asked]
    if not kept:
        raise NoInputError(f"nobody here has the role {' or '.join(sorted(asked))}", "E_NO_INPUT")
    return cohort.select(kept)


def subjects(cohort: Cohort) -> Sequence[str]:
    """The subject of each case, in order; a case without one is its own."""
    return [case.subject or case.name for case in cohort.cases]
