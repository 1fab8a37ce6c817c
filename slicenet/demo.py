"""The demo: which commands it runs, and the page and picture it makes of what they leave."""

import base64
import csv
import html
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slicenet.cohort import Case, find_cohort
from slicenet.drawing import Row, montage
from slicenet.images.options import ReadOptions
from slicenet.images.stored import read_stored
from slicenet.leaderboard import Line, page, text
from slicenet.output import HEATMAP

SYNTHETIC = "These are phantoms: the figures say nothing about patients."
RULE = (
    "AP and AUROC: per voxel inside the brain, mean over lesioned volumes. Oracle: the best "
    "threshold for each volume, chosen with its truth, so out of reach in practice. FPR in "
    "healthy: share of healthy test voxels above the threshold that was set to 1 % on other "
    "healthy phantoms. Brackets: 95 % bootstrap intervals over subjects."
)
SHOWN = 4  # volumes in the picture
COARSE = ("--set", "frame.spacing=[2,2,2]")  # phantoms have no finer detail to lose
METHODS = {  # and how each is trained here
    "simpleslicenet": ("--backend", "quick"),
    "zscore": ("--backend", "zscore", *COARSE),
    "intensity-gaussian": ("--backend", "intensity-gaussian", *COARSE),
    "histeq": ("--backend", "histeq", *COARSE),
}
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 2rem 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; white-space: nowrap }
small { opacity: .7 }
th, td { text-align: right; vertical-align: top }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8886 }
th { white-space: normal; vertical-align: bottom }
th:first-child, td:first-child { text-align: left }
img { max-width: 100%; border-radius: 4px }
pre { overflow-x: auto; padding: 1rem; background: #8882; border-radius: 4px }
.note { border-left: 4px solid #e69f00; padding-left: 1rem }
"""


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


def lines(out: Path) -> list[Line]:
    """The figures of every backend, best average precision first."""
    found = []
    for name in METHODS:
        maps = out / name / "maps"
        evaluation = json.loads((maps / "evaluation.json").read_text("utf-8"))
        found.append(Line(name, evaluation, _seconds(maps / "status.jsonl")))
    return sorted(found, key=lambda line: -_precision(line))


def picture(out: Path, backends: Sequence[str]) -> bytes:
    """A PNG of the strangest lesioned volumes: slice, truth and the map of each backend."""
    cases = {case.name: case for case in find_cohort([out / "test"]).cases}
    with (out / backends[0] / "maps" / "scores.tsv").open(encoding="utf-8", newline="") as table:
        ranked = [cases[row["name"]] for row in csv.DictReader(table, delimiter="\t")]
    lesioned = [case for case in ranked if case.truth]
    return montage([_row(out, case, backends) for case in lesioned[:SHOWN]])


def group_page(out: Path, found: Sequence[Line], drawn: bytes) -> str:
    """One self-contained page: what it is, the table, the picture, the commands."""
    shown = html.escape("\n".join(all_commands(out)))
    image = base64.b64encode(drawn).decode()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>slicenet demo</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>slicenet demo</h1>
<p class="note">{html.escape(SYNTHETIC)} Research use, not a medical device.</p>
<h2>SimpleSliceNet beside the plain baselines</h2>
<p>24 healthy phantoms to fit and calibrate; 12 lesioned and 8 healthy others to test.</p>
<div class="wide">{page(found)}</div>
<p>{html.escape(RULE)}</p>
<h2>The strangest volumes</h2>
<p>Left: the slice with most lesion, its truth outlined in blue. Then the map of each backend;
white outlines lie above the threshold that 1 % of healthy voxels exceed. Seen from the feet: the
patient's left is on the right.</p>
<p><img alt="Slices with truth and maps" src="data:image/png;base64,{image}"></p>
<h2>The commands that made this</h2>
<p>Put the folder of your own scans in place of the phantoms.</p><pre>{shown}</pre>
</body></html>
"""


def all_commands(out: Path) -> list[str]:
    """Every command of the demo as typed."""
    every = [*preparations(out, 0), *(one for group in methods(out).values() for one in group)]
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
        run = json.loads((folder / "run.json").read_text("utf-8"))
        threshold = float(run["model"]["thresholds"]["fpr0.01"])
        maps[name] = (stored.place.grid.to_ras(stored.voxels), threshold)
    return Row(
        case.name, volume.voxels[0].numpy(), volume.brain.numpy(), case.read_truth(volume),
        volume.spacing.tolist(), maps,
    )  # fmt: skip


def _seconds(status: Path) -> float:
    """Median time of a scored volume."""
    rows = [json.loads(row) for row in status.read_text("utf-8").splitlines()]
    return float(np.median([row["seconds"] for row in rows if row["code"] == "OK"]))


def _precision(line: Line) -> float:
    figures = {row["figure"]: row["value"] for row in line.evaluation["figures"]}
    return figures["average_precision"] or 0.0
