"""What each choice of SimpleSliceNet is worth on phantoms: one factor at a time against one base.

Rows go to a JSON file as they are done, and those that are there already are not run again, so the
table fills over as many sittings as it takes. Figures are of phantoms and say nothing about
patients.

    python benchmarks/ablation.py run --factors loss,noise --seeds 0,1,2
    python benchmarks/ablation.py show
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from slicenet import __version__, files, presets
from slicenet.cache import Cache
from slicenet.cohort import Cohort, find_cohort
from slicenet.commands import main as slicenet
from slicenet.comparing.single import with_truth
from slicenet.config import paths
from slicenet.errors import SlicenetError
from slicenet.inspection import Usable, inspect_to_learn, inspect_to_test
from slicenet.metrics import Evaluation, evaluate
from slicenet.recipe import Recipe, resolve
from slicenet.training import train
from slicenet.watch import silent

BASE = "quick"
RESULTS = Path(__file__).with_name("ablation.json")
FIGURES = ("average_precision", "dice@fpr0.01", "auroc", "oracle_dice")
TRAIN, HEALTHY, LESIONED = 24, 8, 12  # phantoms


def _network() -> Sequence[str]:
    """The base's network, and how it sees a volume, for another backend."""
    table = presets.table(BASE)
    shared = {"frame": table["frame"], "slices": table["slices"] | {"read": ["logit"]}}
    return [f"{path}={json.dumps(value)}" for path, value in paths(shared)]


# Each factor's settings by name; the base is run once for all of them.
FACTORS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "loss": {
        name: (f"flow.loss.loss={name}",)
        for name in ("none", "spp_bgad", "triplet", "triplet_plos", "hinge")
    },
    "loss on encoder features": {
        name: (f"flow.loss.loss={name}", 'slices.read=["encoder"]') for name in ("none", "spp_bgad")
    },
    "boundary": {name: (f"flow.loss.boundary.kind={name}",) for name in ("fixed", "random")},
    "noise": {
        "0.25 of the spread": ("flow.noise.sigma=0.25",),
        "1.0 of the spread": ("flow.noise.sigma=1.0",),
        "mixed scales": ("flow.noise.sigma=0.25", "flow.noise.scales=15"),
        "0.08 absolute": ("flow.noise.unit=absolute", "flow.noise.sigma=0.08"),
        "features of lesions": ("flow.strange=lesions",),
    },
    "loss x noise": {
        f"{loss}, {sigma} of the spread": (f"flow.loss.loss={loss}", f"flow.noise.sigma={sigma}")
        for loss in ("triplet", "hinge")
        for sigma in ("0.25", "1.0")
    },
    "condition": {name: (f"flow.condition={name}",) for name in ("none", "plane", "global")},
    "depth of three slices": {
        name: ("slices.depth.kernel=3", f"slices.depth.merge={name}")
        for name in ("mean", "max", "median", "attention", "learnt")
    },
    "features": {
        "intensity": ('slices.read=["intensity"]',),
        "encoder": ('slices.read=["encoder"]',),
        "decoder, logit": ('slices.read=["decoder","logit"]',),
        "intensity, decoder, logit": ('slices.read=["intensity","decoder","logit"]',),
    },
    "what is usual": {"not shown": ("slices.picture.usual=false",)},
    "planes": {"three, averaged": ("slices.planes=averaged",)},
    "fine-tuning of the encoder": {
        "none": ("slices.finetune.method=none", 'slices.read=["encoder"]'),
        "edc": ("slices.finetune.method=edc", 'slices.read=["encoder"]'),
        "joint": ("slices.finetune.method=joint", 'slices.read=["encoder"]'),
    },
    "map": {
        "no smoothing": ("map.smooth=0",),
        "4 mm": ("map.smooth=4",),
        "not by position": ("map.position.kind=none",),
        "z by position": ("map.position.kind=z",),
        "by its own bulk": ("map.drift.kind=bulk",),
    },
    "backend": {
        "simulated": _network(),
        **{name: ("frame.spacing=[2,2,2]",) for name in ("zscore", "intensity-gaussian", "histeq")},
    },
    "preset": {"paper-arxiv": (), "paper-plos": ()},
}


# What differs from the base in more than its own factor is compared with what shares the rest.
BESIDE = {
    "fine-tuning of the encoder": ("features", "encoder"),
    "loss on encoder features": ("features", "encoder"),
}


@click.group()
def main() -> None:
    """Fill and show the table."""


@main.command()
@click.option("--factors", default=",".join(FACTORS), show_default=True)
@click.option("--seeds", default="0,1,2", show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("ablation-work"),
              show_default=True, help="Folder for phantoms.")  # fmt: skip
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
@click.option("--set", "assignments", multiple=True, help="A setting that all rows share.")
def run(factors: str, seeds: str, work: Path, results: Path, assignments: tuple[str, ...]) -> None:
    """Run what is not in the results yet."""
    for seed in map(int, seeds.split(",")):
        usable, tested = _cohorts(work, seed)
        for factor, setting, changed in _rows(factors.split(",")):
            done = _read(results)
            key = {"factor": factor, "setting": setting, "seed": seed, "shared": list(assignments)}
            if any(all(row[name] == value for name, value in key.items()) for row in done):
                continue
            began = time.perf_counter()
            try:
                recipe = _recipe(factor, setting, [*assignments, *changed], seed)
                evaluation = _evaluate(recipe, usable, tested.cohort)
            except SlicenetError as error:
                click.echo(f"{factor}: {setting}, seed {seed}: {error}", err=True)
                continue
            row = key | _figures(evaluation) | {
                "seconds": round(time.perf_counter() - began, 1), "version": __version__,
                "torch": torch.__version__, "threads": torch.get_num_threads(),
            }  # fmt: skip
            files.write_json(results, [*_read(results), row])
            shown = "  ".join(f"{name} {row['means'][name]:.3f}" for name in FIGURES)
            click.echo(f"seed {seed}  {factor}: {setting:<28} {shown}  {row['seconds']:.0f} s")


@main.command()
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def show(results: Path) -> None:
    """Print the table as Markdown: means over all lesioned phantoms, and differences to the base.

    Brackets are 95 % bootstrap intervals over phantoms, paired where differences are. Rows of
    other features than the base's differ from the row "features: encoder".
    """
    rows = _read(results)
    click.echo("| factor | setting | seeds | AP | difference | Dice at 1 % FPR | difference | s |")
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for factor, setting in dict.fromkeys((row["factor"], row["setting"]) for row in rows):
        of = _by_seed(rows, factor, setting)
        base = _by_seed(rows, *BESIDE.get(factor, ("base", BASE)))
        cells = []
        for figure in FIGURES[:2]:
            values = np.concatenate([_values(row, figure) for row in of.values()])
            paired = [
                _values(row, figure) - _values(base[seed], figure)
                for seed, row in of.items()
                if seed in base
            ]
            cells += [_interval(values, "{:.3f}")]
            cells += ["" if factor == "base" or not paired else
                      _interval(np.concatenate(paired), "{:+.3f}")]  # fmt: skip
        seconds = np.median([row["seconds"] for row in of.values()])
        click.echo(f"| {factor} | {setting} | {len(of)} | {' | '.join(cells)} | {seconds:.0f} |")


def _by_seed(rows: Sequence[Mapping[str, Any]], factor: str, setting: str) -> dict[int, Any]:
    return {r["seed"]: r for r in rows if (r["factor"], r["setting"]) == (factor, setting)}


def _rows(factors: Sequence[str]) -> Iterator[tuple[str, str, Sequence[str]]]:
    yield "base", BASE, ()
    for factor in factors:
        for setting, changed in FACTORS[factor].items():
            yield factor, setting, changed


def _recipe(factor: str, setting: str, assignments: Sequence[str], seed: int) -> Recipe:
    if factor == "preset":
        # As published but for the backbone and the budget, which are those of the base.
        course = presets.table(setting)["flow"]["course"]
        first = 400 * course.get("likelihood_first", 0) // course["steps"]
        budget = ("slices.backbone.name=resnet18.tv_in1k", "flow.course.steps=400",
                  f"flow.course.likelihood_first={first}")  # fmt: skip
        return resolve(setting, None, [*assignments, *budget], seed)
    if factor == "backend":
        return resolve(setting, None, assignments, seed)
    return resolve(BASE, None, assignments, seed)


def _cohorts(work: Path, seed: int) -> tuple[Any, Any]:
    folders = {"train": (TRAIN, 0, 10 * seed), "test": (HEALTHY, LESIONED, 10 * seed + 1)}
    for name, (healthy, lesioned, drawn) in folders.items():
        words = ["phantom", str(work / f"{seed}" / name), "--healthy", str(healthy)]
        words += ["--lesioned", str(lesioned), "--seed", str(drawn)]
        slicenet.main(words, standalone_mode=False)
    frame = resolve(BASE).backend.build().frame
    usable = inspect_to_learn(find_cohort([work / f"{seed}" / "train"]), frame)
    return usable, inspect_to_test(find_cohort([work / f"{seed}" / "test"]), frame, usable)


def _evaluate(recipe: Recipe, usable: Usable, tested: Cohort) -> Evaluation:
    """Train and test; what is seen in a volume comes from the cache if another row has seen it."""
    cache = Cache()
    model = train(recipe.name, recipe.backend, usable, recipe.train, silent, cache)
    maps = model.detector.maps(tested, silent, cache)
    scored = [
        with_truth(case, volume, model.detector.judge(features, volume), tested.options)
        for case, volume, features in zip(tested.cases, tested, maps, strict=True)
    ]
    assert model.detector.calibration is not None, "some phantoms are held out"
    return evaluate(scored, model.detector.calibration.thresholds())


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    cases = [case for case in evaluation.cases if FIGURES[0] in case.values]
    return {
        "cases": {case.name: {name: round(case.values[name], 4) for name in FIGURES}
                  for case in cases},
        "means": {name: float(np.mean([case.values[name] for case in cases])) for name in FIGURES},
    }  # fmt: skip


def _values(row: Mapping[str, Any], figure: str) -> np.ndarray:
    return np.array([row["cases"][name][figure] for name in sorted(row["cases"])])


def _interval(values: np.ndarray, form: str) -> str:
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{form} [{form}, {form}]".format(values.mean(), low, high)


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8")) if path.exists() else []


if __name__ == "__main__":
    main()
