"""The paths below a folder, to be known by their names."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import final

IMAGE = re.compile(r"\.(nii|nii\.gz|hdr|img|mgz|mgh|png|jpe?g|tiff?)\Z", re.IGNORECASE)


@final
class Files:
    """Files whose whole paths are matched, so that a folder inside a data set is known as well."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = [(Path(os.path.abspath(path)).as_posix(), path) for path in paths]
        self._there = {path for _, path in self._paths}

    @classmethod
    def below(cls, folder: Path) -> "Files":
        """All files of a folder and of those in it, sorted; hidden ones are left out."""
        found = []
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        return cls(found)

    @property
    def images(self) -> list[tuple[str, Path]]:
        """What claims to be an image, with its whole path as text."""
        return [(text, path) for text, path in self._paths if IMAGE.search(text)]

    def matching(self, pattern: str) -> Iterator[tuple[re.Match[str], Path]]:
        """The files whose whole path holds `pattern`, and what of it matched."""
        compiled = re.compile(pattern)
        for text, path in self._paths:
            if found := compiled.search(text):
                yield found, path

    def first(self, folder: Path, *names: str) -> Path | None:
        """The first of some names that is there, packed or not."""
        wanted = (folder / f"{name}{ending}" for name in names for ending in (".nii.gz", ".nii"))
        return next((path for path in wanted if path in self._there), None)
