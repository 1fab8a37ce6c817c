"""What a phantom data set says of itself: description, README, tables and their dictionaries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slicenet import __version__
from slicenet.files import write_json, write_text
from slicenet.locking import NAME as LOCK
from slicenet.phantom.settings import PhantomSettings

WARNING = "Phantoms say nothing about patients."
SYNTHETIC = """\
Brains made by computer: an average brain in MNI space, deformed at random, with contrasts of
tissues, shading, texture and noise drawn anew for each subject. Images are 0 outside the brain and
above 0 inside.
"""
REAL = """\
Real scans that are taken to be healthy. Lesions were put into some of them by computer; everything
else of these scans is as it was. The column `source` of participants.tsv names the scan that each
subject is made of. The licence of those scans holds for these.
"""
MASKS = """\
`*_desc-brain_mask` is the brain, `*_label-lesion_mask` the truth about lesions; the JSON file
beside the latter lists them with kind, radius and centre in millimetres.
"""
COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "group": {
        "Description": "Whether lesions were put into the brain",
        "Levels": {"healthy": "no lesion", "lesioned": "one lesion or more"},
    },
    "seed": {"Description": "Seed of the data set"},
    "index": {"Description": "Number of the subject, from 0: with the seed it gives every voxel"},
    "lesions": {"Description": "How many lesions were put in; they may overlap"},
    "lesion_volume": {"Description": "Volume of the lesion mask", "Units": "mm^3"},
    "source": {"Description": "Name of the real scan that the subject is made of"},
}


def describe(out: Path, settings: PhantomSettings, on_real_scans: bool) -> None:
    """Write all that does not depend on single subjects."""
    write_json(out / "dataset_description.json", _description(on_real_scans))
    write_text(out / "README", _readme(settings, on_real_scans))
    write_text(out / ".bidsignore", f"phantom.json\n{LOCK}\n")
    write_json(out / "desc-brain_mask.json", {"Type": "Brain"})


def write_participants(out: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write participants.tsv and its dictionary; all rows have the columns of the first."""
    columns = list(rows[0])
    lines = ["\t".join(columns), *("\t".join(str(row[name]) for name in columns) for row in rows)]
    write_text(out / "participants.tsv", "\n".join(lines) + "\n")
    known = {name: COLUMNS[name] for name in columns if name in COLUMNS}
    write_json(out / "participants.json", known)


def _description(on_real_scans: bool) -> dict[str, Any]:
    # A maker called phantom marks all images as made up; real scans with lesions are not.
    maker = "slicenet lesions" if on_real_scans else "slicenet phantom"
    return {
        "Name": "Simulated lesions in real scans" if on_real_scans else "Phantom brains",
        "BIDSVersion": "1.10.0",
        # Not "raw": `desc-brain` and `label-lesion` masks are derivatives, and validators
        # accept them and plain images in a derivative data set only.
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": maker, "Version": __version__, "Description": WARNING}],
    }


def _readme(settings: PhantomSettings, on_real_scans: bool) -> str:
    made = REAL if on_real_scans else SYNTHETIC
    kinds = f"Contrasts: {', '.join(settings.contrasts)}. Lesions: {', '.join(settings.kinds)}."
    return f"{made}\n{MASKS}\n{kinds}\n\n{WARNING}\n"
