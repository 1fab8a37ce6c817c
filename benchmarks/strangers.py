"""How models bear other scanners, registrations and skull strippers: the stress table.

Held-out healthy scans, each once as it is and once with lesions, are changed in one way at a time
by code that shares nothing with what models learn from. Rows go to a JSON file as they are done,
and those that are there already are not run again.

    python benchmarks/strangers.py run BASE MODEL… --split SPLIT --shapes MASKS --results FILE
    python benchmarks/strangers.py show --results FILE
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
from changes import CHANGES
from own_lesions import with_lesions

from slicenet import checkpoint, files
from slicenet.cohort import Cohort, find_cohort
from slicenet.cohort.roles import ROLES, read_roles
from slicenet.detector import Detector
from slicenet.metrics.ranking import rank
from slicenet.phantom.base import add_lesions
from slicenet.phantom.settings import PhantomSettings
from slicenet.scoring import AnomalyMap
from slicenet.volume import Volume

FIGURES = {
    "ap": "AP", "auroc": "AUROC", "dice": "Dice at 1 % FPR", "oracle": "⌈Dice⌉ (oracle)",
    "fpr": "FPR in healthy",
}  # fmt: skip
THRESHOLD = "fpr:0.01"
RESAMPLES = 2000


@click.group()
def main() -> None:
    """Stress models with scans from elsewhere."""


@main.command()
@click.argument("base", type=click.Path(path_type=Path, exists=True))
@click.argument("models", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--split", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--role", type=click.Choice(ROLES), default="test", show_default=True)
@click.option("--shapes", type=click.Path(path_type=Path, exists=True), help="Lesion masks.")
@click.option("--own", is_flag=True, help="Lesions to choose by, of the kind that is learnt.")
@click.option("--changes", default=",".join(CHANGES), show_default=True)
@click.option("--seeds", default="0", show_default=True)
@click.option("--results", type=click.Path(path_type=Path), required=True)
def run(
    base: Path, models: tuple[Path, ...], split: Path, role: str, shapes: Path | None, own: bool,
    changes: str, seeds: str, results: Path,
) -> None:  # fmt: skip
    """Judge MODELs on the subjects of BASE that have a role in SPLIT."""
    wanted = {subject for subject, found in read_roles(split).items() if found == role}
    cohort = find_cohort([base])
    cohort = cohort.select(i for i, case in enumerate(cohort.cases) if case.subject in wanted)
    masks = tuple(sorted(shapes.rglob("*.nii.gz"))) if shapes else ()
    rows = json.loads(results.read_text("utf-8")) if results.exists() else []
    read = [(path.name if path.is_dir() else path.stem, checkpoint.read(path)) for path in models]
    for seed in map(int, seeds.split(",")):
        scans = [_pair(cohort, index, seed, masks, own) for index in range(len(cohort))]
        for (name, model), change in product(read, changes.split(",")):
            key = {
                "model": name, "sha256": model.digest, "change": change, "seed": seed,
                "role": role, "lesions": "own" if own else "phantom",
            }  # fmt: skip
            if any({**row, **key} == row for row in rows):
                continue
            began = time.monotonic()
            judged = {
                pair.subject: _judged(model.detector, pair, change, seed * 100_003 + index)
                for index, pair in enumerate(scans)
            }  # fmt: skip
            rows.append({**key, "subjects": judged})
            files.write_json(results, rows)
            means = {figure: _mean([rows[-1]], figure) for figure in FIGURES}
            said = ", ".join(f"{figure} {mean:.3f}" for figure, (mean, _, _) in means.items())
            click.echo(f"{name}, {change}, {seed}: {said}; {time.monotonic() - began:.0f} s")


@dataclass(frozen=True)
class Pair:
    """One subject as it is, and with lesions."""

    subject: str
    healthy: Volume
    ill: Volume
    truth: np.ndarray  # [X, Y, Z] bool


def _pair(cohort: Cohort, index: int, seed: int, masks: tuple[Path, ...], own: bool) -> Pair:
    volume = cohort[index]
    if own:
        voxels, truth = with_lesions(volume, seed * 100_003 + index, 30.0)
    else:
        phantom = add_lesions(volume, PhantomSettings(), seed, index, masks)
        voxels, truth = phantom.volume.voxels, phantom.truth
    ill = replace(volume, voxels=voxels, source="")
    return Pair(cohort.cases[index].subject, volume, ill, truth.numpy())


def _judged(detector: Detector, pair: Pair, change: str, number: int) -> dict[str, float]:
    """The figures of one subject, both of whose scans are changed alike."""
    draws = [number, list(CHANGES).index(change)]
    healthy, ill = (
        detector.score(CHANGES[change](scan, np.random.default_rng(draws)))
        for scan in (pair.healthy, pair.ill)
    )
    return _figures(healthy, ill, pair.truth)


def _figures(healthy: AnomalyMap, ill: AnomalyMap, truth: np.ndarray) -> dict[str, float]:
    brain, above = ill.brain.numpy(), ill.mask(THRESHOLD).numpy()
    marked = truth & brain  # a tight mask may have cut some of it off
    curve = rank(ill.scores.numpy()[brain], marked[brain].astype(np.uint32)).curve
    return {
        "ap": float(curve.average_precision()),
        "auroc": float(curve.auroc()),
        "dice": float(2 * (above & marked).sum() / max((above.sum() + marked.sum()), 1)),
        "oracle": float(curve.best_dice()),
        "fpr": float(healthy.mask(THRESHOLD)[healthy.brain].float().mean()),
        "healthy score": healthy.volume_score,
        "score": ill.volume_score,
    }


def _mean(rows: Sequence[Mapping[str, Any]], figure: str) -> tuple[float, float, float]:
    """Over subjects, each a mean over seeds, and its bootstrap interval."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for subject, figures in row["subjects"].items():
            found.setdefault(subject, []).append(figures[figure])
    values = np.array([np.nanmean(one) for one in found.values()])
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.nanquantile(np.nanmean(values[drawn], 1), (0.025, 0.975))
    return float(np.nanmean(values)), float(low), float(high)


@main.command()
@click.option("--results", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--figures", default="ap,dice,fpr", show_default=True)
def show(results: Path, figures: str) -> None:
    """Print how models do on scans as they are, then what each change makes of the first seed's."""
    rows = json.loads(results.read_text("utf-8"))
    models = list(dict.fromkeys(row["model"] for row in rows))
    changes = list(dict.fromkeys(row["change"] for row in rows))
    _head("model", FIGURES.values())
    for model in models:
        those = [row for row in rows if (row["model"], row["change"]) == (model, changes[0])]
        found = (_mean(those, figure) for figure in FIGURES)
        cells = (f"{mean:.3f} [{low:.3f}–{high:.3f}]" for mean, low, high in found)
        click.echo(f"| {model} | {' | '.join(cells)} |")
    rows = [row for row in rows if row["seed"] == rows[0]["seed"]]  # that every change was run with
    for figure in figures.split(","):
        _head(FIGURES[figure], models)
        for change in changes:
            both = [[r for r in rows if (r["model"], r["change"]) == (m, change)] for m in models]
            means = (f"{_mean(those, figure)[0]:.3f}" if those else "" for those in both)
            click.echo(f"| {change} | {' | '.join(means)} |")


def _head(first: str, rest: Iterable[str]) -> None:
    cells = [first, *rest]
    click.echo(f"\n| {' | '.join(cells)} |\n{'| --- ' * len(cells)}|")


if __name__ == "__main__":
    main()
