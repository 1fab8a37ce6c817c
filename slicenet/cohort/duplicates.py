"""The same bytes under two names: a subject counted twice, or in training and test at once."""

import hashlib
import os
import stat
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from slicenet.cohort.cohort import Cohort
from slicenet.errors import Notice
from slicenet.files import digest, reading
from slicenet.images.printable import printable

GLANCE = 64 * 1024  # bytes from the middle, where a brain is; enough to tell nearly all apart
SHOWN = 3  # of the other names


def find_duplicates(cohort: Cohort) -> tuple[Notice, ...]:
    """A notice for each set of images with the same bytes; only files of equal size are opened."""
    images = dict.fromkeys(image for case in cohort.cases for image in case.images)
    alike = [list(images)]
    for key in (_size, _glance, _whole):
        alike = [group for wider in alike for group in _split(wider, key)]
    return tuple(_notice(group) for group in alike)


def _split(paths: Iterable[Path], key: Callable[[Path], Hashable]) -> list[list[Path]]:
    """Groups of two and more paths with the same key; files that cannot be read have none."""
    groups: dict[Hashable, list[Path]] = {}
    for path in paths:
        try:
            groups.setdefault(key(path), []).append(path)
        except OSError:
            continue  # reading it as an image will say why
    groups.pop(None, None)
    return [group for group in groups.values() if len(group) > 1]


def _size(path: Path) -> int | None:
    """Bytes of a file; none for pipes, folders and empty files, which are no duplicates."""
    found = path.stat()
    return found.st_size or None if stat.S_ISREG(found.st_mode) else None


def _glance(path: Path) -> bytes:
    with reading(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - GLANCE) // 2)
        return hashlib.sha256(file.read(GLANCE)).digest()


def _whole(path: Path) -> str:
    return digest(path)


def _notice(paths: list[Path]) -> Notice:
    first, *others = paths
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    names = ", ".join(map(printable, others[:SHOWN]))
    return Notice("W_DUPLICATE", f"{printable(first)}: the same bytes as {names}{more}")
