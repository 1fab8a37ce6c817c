"""The demo: which commands it runs, and the page and picture it makes of what they leave."""

import csv
import html
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slicenet import files
from slicenet.cohort import Case, find_cohort
from slicenet.drawing import Row, montage
from slicenet.images.options import ReadOptions
from slicenet.images.stored import read_stored
from slicenet.leaderboard import Line, page, text
from slicenet.output import HEATMAP
from slicenet.report import Written, document
from slicenet.report.group import Section
from slicenet.report.group import group_page as report_page

SYNTHETIC = "These are phantoms: the figures say nothing about patients."
RULE = (
    "AP and AUROC: per voxel inside the brain, mean over lesioned volumes. Oracle: the best "
    "threshold for each volume, chosen with its truth, so out of reach in practice. FPR in "
    "healthy: share of healthy test voxels above the threshold that was set to 1 % on other "
    "healthy phantoms. Brackets: 95 % bootstrap intervals over subjects."
)
MAIN = "simpleslicenet"  # whose maps have a page for each subject
SHOWN = 4  # volumes in the picture
COARSE = ("--set", "frame.spacing=[2,2,2]")  # phantoms have no finer detail to lose
METHODS = {  # and how each is trained here
    MAIN: ("--backend", "quick"),
    "zscore": ("--backend", "zscore", *COARSE),
    "intensity-gaussian": ("--backend", "intensity-gaussian", *COARSE),
    "histeq": ("--backend", "histeq", *COARSE),
}


def preparations(out: Path, seed: int) -> list[list[str]]:
    """The commands that make the cohorts, without the leading `slicenet`."""
    learnt, tested = str(out / "train"), str(out / "test")
    return [
        ["phantom", learnt, "--healthy", "24", "--lesioned", "0", "--seed", str(seed)],
        ["phantom", tested, "--healthy", "8", "--lesioned", "12", "--seed", str(seed + 1)],
    ]


def methods(out: Path) -> dict[str, list[list[str]]]:
    """The commands of each method, without the leading `slicenet`."""
    learnt, tested = str(out / "train"), str(out / "test")
    found = {}
    for name, words in METHODS.items():
        run, maps = str(out / name), str(out / name / "maps")
        found[name] = [
            ["train", learnt, *words, "--out", run],
            ["score", run, tested, "--out", maps],
            ["evaluate", maps, "--truth", tested],
        ]
    return found


def report(out: Path) -> list[str]:
    """The command that makes a page for each subject, without the leading `slicenet`."""
    return ["report", str(out / MAIN / "maps"), "--truth", str(out / "test")]


def lines(out: Path) -> list[Line]:
    """The figures of every backend, best average precision first."""
    found = []
    for name in METHODS:
        maps = out / name / "maps"
        evaluation = json.loads(files.read_text(maps / "evaluation.json"))
        found.append(Line(name, evaluation, _seconds(maps / "status.jsonl")))
    return sorted(found, key=lambda line: -_precision(line))


def picture(out: Path, backends: Sequence[str]) -> bytes:
    """A PNG of the strangest lesioned volumes: slice, truth and the map of each backend."""
    cases = {case.name: case for case in find_cohort([out / "test"]).cases}
    table = files.read_text(out / backends[0] / "maps" / "scores.tsv").splitlines()
    ranked = [cases[row["name"]] for row in csv.DictReader(table, delimiter="\t")]
    lesioned = [case for case in ranked if case.truth]
    return montage([_row(out, case, backends) for case in lesioned[:SHOWN]])


def group_page(out: Path, found: Sequence[Line], drawn: bytes, written: Written) -> str:
    """The page of all cases of the main backend, with how it compares and what made it."""
    shown = html.escape("\n".join(all_commands(out)))
    before = (
        Section(
            "SimpleSliceNet beside the plain baselines",
            f"<p>{html.escape(SYNTHETIC)}</p><p>24 healthy phantoms to fit and calibrate; 12 "
            f'lesioned and 8 healthy others to test.</p><div class="wide">{page(found)}</div>'
            f'<p class="hint">{html.escape(RULE)}</p>',
        ),
        Section(
            "The strangest volumes",
            "<p>Left: the slice with most lesion, its truth outlined in blue. Then the map of each "
            "backend; white outlines lie above the threshold that 1 % of healthy voxels exceed. "
            "Seen from the feet: the patient's left is on the right.</p>"
            f"{document.picture(drawn, 'Slices with truth and maps')}"
            f"<p>Below, every test case with the map of {MAIN}.</p>",
        ),
    )
    after = Section(
        "The commands that made this",
        f"<p>Put the folder of your own scans in place of the phantoms.</p><pre>{shown}</pre>",
    )
    return report_page(
        written.scored, written.drawn, written.broken, title="slicenet demo", place=out,
        before=before, after=(after,),
    )  # fmt: skip


def all_commands(out: Path) -> list[str]:
    """Every command of the demo as typed."""
    each = [one for group in methods(out).values() for one in group]
    every = [*preparations(out, 0), *each, report(out)]
    return [shlex.join(["slicenet", *words]) for words in every]


def summary(found: Sequence[Line]) -> str:
    """The table for a terminal, with what it does not say."""
    return f"{text(found)}\n\n{RULE}\n{SYNTHETIC}"


def _row(out: Path, case: Case, backends: Sequence[str]) -> Row:
    volume = case.read()
    maps = {}
    for name in backends:
        folder = out / name / "maps"
        stored = read_stored(folder / case.folder / f"{case.prefix}{HEATMAP}", ReadOptions())
        run = json.loads(files.read_text(folder / "run.json"))
        threshold = float(run["model"]["thresholds"]["fpr0.01"])
        maps[name] = (stored.place.grid.to_ras(stored.voxels), threshold)
    return Row(
        case.name, volume.voxels[0].numpy(), volume.brain.numpy(), case.read_truth(volume),
        volume.spacing.tolist(), maps,
    )  # fmt: skip


def _seconds(status: Path) -> float:
    """Median time of a scored volume."""
    rows = [json.loads(row) for row in files.read_text(status).splitlines()]
    return float(np.median([row["seconds"] for row in rows if row["code"] == "OK"]))


def _precision(line: Line) -> float:
    figures = {row["figure"]: row["value"] for row in line.evaluation["figures"]}
    return figures["average_precision"] or 0.0
