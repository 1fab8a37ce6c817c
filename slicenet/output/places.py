"""Where the files that a map was made from lie, as seen from the folder of maps."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

DESCRIPTION = "dataset_description.json"  # marks the top of a BIDS data set


def place(path: Path, out: Path) -> str:
    """POSIX path from `out` to a file; absolute where no way leads from one to the other."""
    try:
        return Path(os.path.relpath(_there(path), out.resolve())).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(path)).as_posix()


def uri(path: Path, out: Path, links: Mapping[str, str]) -> str:
    """BIDS URI of a file of `out` or of a data set that `links` names; else its place."""
    top = data_set(path)
    names = {out.resolve(): ""} | {(out / where).resolve(): name for name, where in links.items()}
    if top is None or top not in names:
        return place(path, out)
    inside = _there(path).relative_to(top).as_posix()
    return f"bids:{names[top]}:{quote(inside, errors='surrogateescape')}"


def data_set(path: Path) -> Path | None:
    """The top of the BIDS data set that a file lies in; none if it lies in none."""
    parents = _there(path).parents
    return next((top for top in parents if (top / DESCRIPTION).is_file()), None)


def linked(paths: Iterable[Path], out: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Names of the data sets that the paths lie in, and where those are, with all `known` before.

    A name stays what it was: sidecars of earlier runs use it.
    """
    links = dict(known)
    by_folder = {path.parent: path for path in paths}  # a look for each folder, not for each file
    tops = {data_set(path) for path in by_folder.values()}
    for top in sorted(top for top in tops if top):
        where = place(top, out)
        if where not in links.values():
            links[_free_name(top.name, links)] = where
    return links


def _free_name(folder: str, taken: Mapping[str, str]) -> str:
    name = re.sub(r"[^0-9A-Za-z]", "", folder) or "input"
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free


def _there(path: Path) -> Path:
    # Links in folders are followed, or `..` would lead astray; the file's own name stays.
    return path.parent.resolve() / path.name
