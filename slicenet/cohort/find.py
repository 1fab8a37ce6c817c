"""From places to cases: indexing opens no file but tables."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slicenet.cohort.build import build_case, check_collisions, row_name
from slicenet.cohort.case import Case
from slicenet.cohort.choice import Candidate, check_participants, choose
from slicenet.cohort.cohort import Cohort
from slicenet.cohort.datasets import DataSets
from slicenet.cohort.folders import DERIVED, Folder, Folders
from slicenet.cohort.naming import ENDINGS, FileName, parse
from slicenet.cohort.places import Places, sort_places
from slicenet.cohort.public import Published, find_published
from slicenet.cohort.query import ABSENT, Query
from slicenet.cohort.rows import Row, read_rows
from slicenet.cohort.strays import note_strays
from slicenet.errors import ConfigError, NoInputError, Notice
from slicenet.images.options import ReadOptions
from slicenet.images.picture_file import is_picture
from slicenet.images.printable import printable


def find_cohort(
    places: Sequence[Path], *, query: Query = Query(), options: ReadOptions = ReadOptions()
) -> Cohort:
    """The cases in files, folders, patterns, BIDS roots and tables, sorted by name."""
    folders = Folders()
    here = sort_places(places)
    candidates, published, notices = _candidates(here, folders, query)
    listed, table_notices = _listed(here.tables, query, folders)
    names = [*(one.name for one in candidates), *map(_filtered_name, listed)]
    check_participants(names, query)
    chosen, choice_notices = choose(candidates, query)
    rows = [_row(group, published) for group in chosen]
    # In a table the sequences are columns, whatever the suffixes of their files.
    rest = replace(query, sequences=())
    rows += [row for row in listed if not query.filters or rest.accepts(_filtered_name(row))]
    if not rows:
        raise _nothing(places, names)
    data_sets = DataSets(folders)
    cases = [build_case(row, folders, data_sets) for row in rows]
    cases.sort(key=lambda case: (case.name, case.images))
    check_collisions(cases)
    searched = {one.path.parent for one in candidates if one.searched}
    strays = note_strays(cases, searched, _masks(here), folders)
    everything = [*notices, *table_notices, *choice_notices, *strays]
    said = tuple(replace(one, message=printable(one.message)) for one in everything)
    return Cohort(_with_mask(tuple(cases), query.mask), options, said)


def hold_volumes(places: Sequence[Path]) -> bool:
    """Whether there is anything among these that is not a picture."""
    here = sort_places(places)
    found, *_ = _candidates(here, Folders(), Query())
    return bool(here.tables) or not all(is_picture(one.path.name) for one in found)


def _candidates(
    here: Places, folders: Folders, query: Query
) -> tuple[list[Candidate], dict[Path, Published], list[Notice]]:
    """Every file that may be a case, once, what public data sets say of it, what was passed over.

    A folder is what its names make it: a public data set, else BIDS or plain images.
    """
    unique: dict[str, Candidate] = {}
    published: dict[Path, Published] = {}
    notices = _skipped([path.name for path in here.others], "not images")
    for path in here.files:
        name = parse(path.name)
        if _may_be_case(name, query):
            unique.setdefault(os.path.abspath(path), Candidate(path, name))
    skipped: set[str] = set()
    for top in here.folders:
        walked = list(folders.walk(top))
        for folder, _ in walked:
            if folder.problem:
                notices.append(_unreadable(folder.path, folder.problem, top))
            if folder.is_root:
                skipped |= DERIVED.intersection(folder.folders)
        # Public data sets are known by their images; their labels are of lesions.
        known = None if query.of_labels else find_published([one for one, _ in walked], query)
        if known:
            published |= {one.candidate.path: one for one in known[0]}
            notices += known[1]
        for one in [each.candidate for each in known[0]] if known else _found(walked, query):
            unique.setdefault(os.path.abspath(one.path), one)
    notices += _skipped([f"{name}/" for name in sorted(skipped)], "name it to use it")
    found, passed = _without_pictures(list(unique.values()), published)
    return found, published, [*notices, *_skipped(passed, "pictures beside volumes")]


def _without_pictures(
    found: list[Candidate], published: Mapping[Path, Published]
) -> tuple[list[Candidate], list[str]]:
    """The volumes, and names of pictures that somebody wanted; the pictures if all are."""
    volumes = [one for one in found if not is_picture(one.path.name)]
    if len(volumes) in (0, len(found)):
        return found, []
    wanted = (one for one in found if not one.searched or one.path in published)
    return volumes, [one.path.name for one in wanted if is_picture(one.path.name)]


def _may_be_case(name: FileName, query: Query) -> bool:
    if name.is_output:
        return False
    return not name.is_mask or (query.of_labels and name.is_segmentation)


def _found(walked: Sequence[tuple[Folder, bool]], query: Query) -> Iterator[Candidate]:
    """Images; or segmentations, which any image may be where none is called so."""
    of_labels = query.of_labels and any(folder.segmentations for folder, _ in walked)
    for folder, in_root in walked:
        for name in folder.segmentations if of_labels else folder.images:
            path = folder.path / name  # "" stands for the folder itself
            yield Candidate(path, parse(path.name), True, in_root)


def _row(group: Sequence[Candidate], published: Mapping[Path, Published]) -> Row:
    images = tuple(one.path for one in group)
    known = published.get(images[0])
    return known.row(images) if known else Row(images)


def _listed(
    tables: Sequence[Path], query: Query, folders: Folders
) -> tuple[list[Row], list[Notice]]:
    rows, notices = [], []
    for table in tables:
        some, said = read_rows(table, query.sequences, folders)
        rows += some
        notices += said
    return rows, notices


def _filtered_name(row: Row) -> FileName:
    """What filters look at: the name of the file where it has entities, else the id."""
    name = parse(row.images[0].name)
    return name if name.in_bids else row_name(row)


def _masks(here: Places) -> list[Path]:
    return [path for path in here.files if parse(path.name).is_mask]


def _with_mask(cases: tuple[Case, ...], mask: Path | None) -> tuple[Case, ...]:
    if mask is None:
        return cases
    if len(cases) != 1:
        text = f"--mask: one mask for {len(cases)} inputs"
        raise ConfigError(text, "E_MASK", "a table gives each its own: columns path,mask")
    if not os.path.lexists(mask):
        raise NoInputError(f"--mask {printable(mask)}: no such file", "E_NOT_FOUND")
    return (replace(cases[0], mask=mask),)


def _unreadable(folder: Path, problem: str, top: Path) -> Notice:
    if folder == top:
        raise NoInputError(f"{printable(folder)}: {problem}", "E_PERMISSION")
    return Notice("W_FOLDER", f"{folder}: {problem}")


def _skipped(names: list[str], why: str) -> list[Notice]:
    if not names:
        return []
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [Notice("W_SKIPPED", f"passed over ({why}): {', '.join(names[:5])}{more}")]


def _nothing(places: Sequence[Path], names: Sequence[FileName]) -> NoInputError:
    """Nothing to work on: either there are no images, or the filters let none pass."""
    where = ", ".join(map(printable, places[:3])) + (" …" if len(places) > 3 else "")
    if not names:
        hint = f"looked for {' '.join(ENDINGS)}; masks and outputs of slicenet do not count"
        return NoInputError(f"{where}: no images", "E_NO_INPUT", hint)
    have = []
    for key in ("ses", "space", "desc"):
        have.append(f"{key} {' '.join(sorted({name.entity(key) or ABSENT for name in names}))}")
    have.append(f"suffix {' '.join(sorted({name.suffix or ABSENT for name in names}))}")
    text = f"{where}: {len(names)} images, but none with all that was asked for"
    return NoInputError(text, "E_NO_INPUT", f"there are: {'; '.join(have)}")
