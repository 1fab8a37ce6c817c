"""Prepared cases as a BIDS derivative, which every other command takes as it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slicenet import __version__, files
from slicenet.cohort import Cohort
from slicenet.cohort.datasets import PARTICIPANTS, read_groups
from slicenet.locking import locked
from slicenet.pool import work_through
from slicenet.preparing.naming import check_names, names_of
from slicenet.preparing.settings import PrepareSettings
from slicenet.preparing.subject import Task, lost_case, prepare_case
from slicenet.watch import Watch, silent

TABLE = "prepared.tsv"
COLUMNS = (
    "name", "status", "method", "similarity", "overlap", "smallest", "largest", "brain_ml",
    "seconds", "code", "reason",
)  # fmt: skip
MEANING = {
    "name": "case, as in the input",
    "status": "ok; flagged: its registration is doubtful, so nothing was passed on; failed",
    "method": "where its brain mask is from",
    "similarity": "share of the average brain's variance that its intensities explain",
    "overlap": "Dice of its brain and the average one",
    "smallest": "size beside the average brain, along the direction where it is least",
    "largest": "size beside the average brain, along the direction where it is most",
    "brain_ml": "volume of the brain in the scan, millilitres",
    "seconds": "time that it took",
    "code": "of what is wrong",
    "reason": "what is wrong, in words",
}
README = """Brains made ready by slicenet: even gain, no skull, on the average brain of MNI.

*_desc-brain_T1w.nii.gz  the brain, 0 outside; its .json tells where it came from and how well
*_desc-brain_mask.nii.gz the brain's mask
*_xfm.txt                the affine, as ITK and ANTs read it: MNI millimetres to the scan's
figures/                 pictures to judge each registration by; they show heads, share with care
prepared.tsv             every case, also those that are flagged or failed and were not passed on
"""


def prepare(
    cohort: Cohort,
    out: Path,
    settings: PrepareSettings = PrepareSettings(),
    sequences: Sequence[str] = (),
    watch: Watch = silent,
    workers: int = 1,
) -> tuple[list[dict[str, Any]], int]:
    """Rows of the table, in the order of the cohort, and how many cases were there already."""
    names = [names_of(case, out, settings.entities, sequences) for case in cohort.cases]
    check_names(list(zip(cohort.cases, names, strict=True)))
    tasks = [
        Task(case, own, cohort.options, settings)
        for case, own in zip(cohort.cases, names, strict=True)
    ]
    with locked(out):
        _describe(out)
        known = {task.case.name: task.row() for task in tasks}
        missing = [task for task in tasks if known[task.case.name] is None]
        kept = len(tasks) - len(missing)
        watch("prepare", kept, len(tasks))
        made = work_through(
            missing, prepare_case, workers,
            lambda done: watch("prepare", kept + done, len(tasks)),
            lost_case, imports=("nilearn.datasets", "SimpleITK"),
        )  # fmt: skip
        found = known | {row["name"]: row for row in made}
        rows = [{column: found[task.case.name].get(column) for column in COLUMNS} for task in tasks]
        _write_table(out, rows)
        owned = zip(names, cohort.cases, strict=True)
        _write_groups(out, {own.subject: case.group for own, case in owned})
    return rows, kept


def _describe(out: Path) -> None:
    files.write_json(out / "dataset_description.json", {
        "Name": "brains in MNI space", "BIDSVersion": "1.10.0", "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "slicenet prepare", "Version": __version__}],
    })  # fmt: skip
    files.write_text(out / "README", README)
    files.write_json(out / "prepared.json", MEANING)
    files.write_text(out / ".bidsignore", "figures/\n*_xfm.txt\nprepared.*\n*.lock\n")


def _write_table(out: Path, rows: Sequence[dict[str, Any]]) -> None:
    """All rows of this run, and those of earlier runs that were not asked for again."""
    asked = {row["name"] for row in rows}
    lines = ["\t".join(COLUMNS)]
    lines += [line for line in _old(out / TABLE) if line.split("\t")[0] not in asked]
    lines += ["\t".join(_cell(row[column]) for column in COLUMNS) for row in rows]
    files.write_text(out / TABLE, "\n".join([lines[0], *sorted(lines[1:])]) + "\n")


def _write_groups(out: Path, groups: Mapping[str, str]) -> None:
    """Who is healthy, as far as somebody has said, also of subjects that were prepared before."""
    table = out / PARTICIPANTS
    told = read_groups(table) if table.is_file() else {}
    told = {f"sub-{label}": group for label, group in told.items()}
    told |= {subject: group for subject, group in groups.items() if group}
    if told:
        lines = [f"{subject}\t{_cell(group)}" for subject, group in sorted(told.items())]
        files.write_text(table, "\n".join(["participant_id\tgroup", *lines]) + "\n")


def _old(table: Path) -> list[str]:
    try:
        header, *lines = files.read_text(table).splitlines()
    except (FileNotFoundError, ValueError):
        return []
    return lines if header == "\t".join(COLUMNS) else []


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "n/a"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())
