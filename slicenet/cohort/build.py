"""One case from its files: names of outputs, masks beside images, group."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from slicenet.cohort.case import Case
from slicenet.cohort.datasets import DataSets
from slicenet.cohort.folders import Folders
from slicenet.cohort.naming import FileName, output_folder, output_name, parse, parse_stem
from slicenet.cohort.rows import Row
from slicenet.errors import VolumeError
from slicenet.images.printable import printable


def build_case(row: Row, folders: Folders, data_sets: DataSets) -> Case:
    """The case of a row of a table, or of files found."""
    named = row_name(row)
    name = output_name(named)
    masks, truths = _beside(row.images, folders)
    subject = named.entity("sub") or row.id or name
    data_set = data_sets.of(row.images[0], subject)
    return Case(
        name,
        row.images,
        output_folder(name),
        row.mask or next(iter(masks), None),
        row.truth or next(iter(truths), None),
        row.group or data_set.groups.get(subject, ""),
        subject,
        parse(row.images[0].name).entity("space").startswith("MNI"),
        data_set.synthetic,
        row.labels,
        row.site,
        row.role,
        row.whole,
    )


def row_name(row: Row) -> FileName:
    """The id of a row, or the name of its first file."""
    return parse_stem(row.id) if row.id else parse(row.images[0].name)


def check_collisions(cases: Sequence[Case]) -> None:
    """Refuse cases whose outputs would overwrite each other, on any file system."""
    taken: dict[str, Case] = {}
    clashes = []
    for case in cases:
        # Some file systems hold upper and lower case, or two spellings of é, for one name.
        key = unicodedata.normalize("NFC", f"{case.folder}/{case.prefix}").casefold()
        other = taken.setdefault(key, case)
        if other is not case:
            clashes.append((other, case))
    if clashes:
        paths = " and ".join(printable(case.images[0]) for case in clashes[0])
        more = f" (and {len(clashes) - 1} more pairs)" if len(clashes) > 1 else ""
        text = f"two inputs would share the output {clashes[0][1].name}: {paths}{more}"
        raise VolumeError(text, "E_COLLISION", "a table with columns path,id gives each its name")


def _beside(images: Sequence[Path], folders: Folders) -> tuple[list[Path], list[Path]]:
    """Brain masks and lesion masks that lie beside the images, in their order."""
    places = [(folders[image.parent], parse(image.name)) for image in images]
    masks = [folder.brain_mask(name) for folder, name in places]
    truths = [folder.lesion_mask(name) for folder, name in places]
    return [path for path in masks if path], [path for path in truths if path]
