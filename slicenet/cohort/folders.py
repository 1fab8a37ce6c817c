"""What lies in folders, from their lists of names alone: each is listed once, nothing is opened."""

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from slicenet.cohort.naming import FileName, ending, parse
from slicenet.images.picture_file import is_picture

DERIVED = frozenset({"derivatives", "sourcedata", "code", "stimuli"})  # of a BIDS root
DICOM = (".dcm", ".ima")
PLAIN_LESION = "_label-lesion_mask"  # after the name of an image that is not of BIDS


@final
@dataclass(frozen=True)
class Folder:
    """The names in one folder, sorted; hidden ones are left out."""

    path: Path
    names: frozenset[str] = frozenset()  # all of them, hidden ones too
    # That may be cases: volumes, else pictures. "" stands for the folder, a DICOM series.
    images: tuple[str, ...] = ()
    segmentations: tuple[str, ...] = ()  # which are cases where labels are wanted
    folders: tuple[str, ...] = ()
    masks: Mapping[Hashable, str] = field(default_factory=dict)  # by kind and image
    strays: tuple[str, ...] = ()  # masks and labels that belong to no image
    problem: str = ""  # why it could not be listed

    @property
    def is_root(self) -> bool:
        """Whether it looks like the top of a BIDS data set."""
        has_subjects = any(name.startswith("sub-") for name in self.folders)
        return has_subjects or "dataset_description.json" in self.names

    def brain_mask(self, image: FileName) -> Path | None:
        """The brain mask beside an image of this folder."""
        return self._mask("brain", image)

    def lesion_mask(self, image: FileName) -> Path | None:
        """The truth beside an image of this folder; only BIDS names have one."""
        return self._mask("lesion", image)

    def _mask(self, kind: str, image: FileName) -> Path | None:
        found = (self.masks.get((kind, key)) for key in _keys(image))
        return next((self.path / name for name in found if name), None)


@final
class Folders:
    """Folders by their paths, listed when first asked for."""

    def __init__(self) -> None:
        self._known: dict[Path, Folder] = {}

    def __getitem__(self, path: Path) -> Folder:
        if path not in self._known:
            self._known[path] = _list(path)
        return self._known[path]

    def walk(self, top: Path) -> Iterator[tuple[Folder, bool]]:
        """A folder and all below it, sorted, each with whether it lies in a BIDS root.

        Links are followed, but no folder is listed twice.
        """
        seen: set[Hashable] = set()
        waiting = [(top, False)]
        while waiting:
            path, below_root = waiting.pop()
            place = _place(path)
            if place in seen:
                continue
            seen.add(place)
            folder = self[path]
            in_root = below_root or folder.is_root
            yield folder, in_root
            inner = [name for name in folder.folders if not (in_root and name in DERIVED)]
            waiting += [(path / name, in_root) for name in reversed(inner)]


def _list(path: Path) -> Folder:
    try:
        with os.scandir(path) as entries:
            kinds = {entry.name: _is_folder(entry) for entry in entries}
    except OSError as error:
        return Folder(path, problem=error.strerror or "cannot be listed")
    except ValueError:  # a NUL in a cell of a table
        return Folder(path, problem="not a path")
    seen = sorted(name for name in kinds if not name.startswith("."))
    claims = [name for name in seen if ending(name)] or list(filter(is_picture, seen))
    parsed = {name: parse(name) for name in _one_per_pair(claims)}
    images = {name: file for name, file in parsed.items() if not file.is_mask}
    labels = {name: file for name, file in parsed.items() if file.is_segmentation}
    masks, strays = _assign({n: f for n, f in parsed.items() if f.is_mask}, {**images, **labels})
    mine = [name for name, file in images.items() if not file.is_output]
    inner = tuple(name for name in seen if kinds[name] and not ending(name))
    series = tuple(_one_per_series(mine))
    return Folder(path, frozenset(kinds), series, tuple(labels), inner, masks, strays)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _place(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return path
    return found.st_dev, found.st_ino


def _one_per_pair(names: list[str]) -> list[str]:
    """The names but each .hdr whose .img is there too."""
    halves = {name: ending(name).removesuffix(".gz") for name in names}
    stems = {name: name[: len(name) - len(ending(name))] for name in names}
    pixels = {stems[name] for name, half in halves.items() if half == ".img"}
    return [name for name in names if not (halves[name] == ".hdr" and stems[name] in pixels)]


def _one_per_series(names: list[str]) -> list[str]:
    """The names, but "" in place of several DICOM files: they are the slices of one volume."""
    slices = [name for name in names if name.lower().endswith(DICOM)]
    if len(slices) < 2:
        return names
    return ["", *(name for name in names if not name.lower().endswith(DICOM))]


def _assign(
    masks: dict[str, FileName], images: dict[str, FileName]
) -> tuple[dict[Hashable, str], tuple[str, ...]]:
    """Masks by kind and image, and the names of those that belong to none."""
    wanted = {key for file in images.values() for key in _keys(file)}
    owned: dict[Hashable, str] = {}
    strays = []
    for name, file in masks.items():
        kind, key = _kind(file)
        if kind and key in wanted:
            owned.setdefault((kind, key), name)
        elif not file.is_output:
            strays.append(name)
    return owned, tuple(strays)


def _keys(image: FileName) -> list[Hashable]:
    """What the names of an image's masks share with it, the closest first."""
    if not image.in_bids:
        return [image.stem]
    shared = image.without("desc")
    return [frozenset([*shared, ("mod", image.suffix)]), frozenset(shared)]


def _kind(mask: FileName) -> tuple[str, Hashable]:
    """Whether a mask is of the brain, of lesions or "" unknown, and the key of its image."""
    if not mask.in_bids:
        if mask.stem.endswith(PLAIN_LESION):
            return "lesion", mask.stem.removesuffix(PLAIN_LESION)
        stem, _, last = mask.stem.rpartition("_")
        return ("brain" if last.lower() == "mask" and stem else "", stem)
    kinds = {("brain", ""): "brain", ("", "lesion"): "lesion"}
    what = (mask.entity("desc"), mask.entity("label"))
    kind = kinds.get(what, "") if mask.suffix == "mask" else ""
    return kind, frozenset(mask.without("desc", "label"))
