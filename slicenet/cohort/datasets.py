"""What a BIDS data set says of itself: groups of subjects, and whether it is made up."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from slicenet.cohort.folders import Folders
from slicenet.cohort.rows import BLANK
from slicenet.errors import VolumeError
from slicenet.images.texts import read_text

PARTICIPANTS = "participants.tsv"
DESCRIPTION = "dataset_description.json"


@final
@dataclass(frozen=True)
class DataSet:
    """What its files at the top say; a file that cannot be read says nothing."""

    groups: Mapping[str, str] = field(default_factory=dict)  # by subject label
    synthetic: bool = False  # phantoms


@final
class DataSets:
    """Data sets by their tops; the files of each are read once."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._known: dict[Path, DataSet] = {}

    def of(self, image: Path, subject: str) -> DataSet:
        """The data set in which the image of a subject lies."""
        top = _top(image.parent, f"sub-{subject}")
        if top not in self._known:
            names = self._folders[top].names
            groups = read_groups(top / PARTICIPANTS) if PARTICIPANTS in names else {}
            synthetic = DESCRIPTION in names and _is_synthetic(top / DESCRIPTION)
            self._known[top] = DataSet(groups, synthetic)
        return self._known[top]


def _top(folder: Path, subject: str) -> Path:
    """The folder that holds the subject's; the image's own if there is none."""
    if subject not in folder.parts:
        return folder
    return Path(*folder.parts[: folder.parts.index(subject)])


def read_groups(table: Path) -> dict[str, str]:
    """The group of each subject in a participants.tsv; a table that cannot be read has none."""
    try:
        text = read_text(table)
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))
    except (VolumeError, csv.Error):
        return {}
    groups = {}
    for row in rows:
        group = (row.get("group") or "").strip()
        label = (row.get("participant_id") or "").strip().removeprefix("sub-")
        groups[label] = "" if group in BLANK else group
    return groups


def _is_synthetic(description: Path) -> bool:
    """Whether `slicenet phantom` made the data set."""
    try:
        content = json.loads(read_text(description))
    except (VolumeError, ValueError, RecursionError):
        return False
    makers = content.get("GeneratedBy") if isinstance(content, dict) else None
    if not isinstance(makers, list):
        return False
    return any("phantom" in str(one.get("Name", "")) for one in makers if isinstance(one, dict))
