"""`slicenet train`: from healthy volumes to a calibrated model."""

import hashlib
from pathlib import Path
from typing import Any

import click

from slicenet.commands.board import board
from slicenet.commands.door import (
    FILE,
    OUT,
    SOME_FAILED,
    echo_json,
    prepare,
    refuse_inside,
    run_options,
)
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter
from slicenet.errors import ConfigError, NoInputError, SlicenetError

METRICS = "metrics.jsonl"


@click.command()
@input_options
@click.option("--backend", help="Name of a backend; `slicenet backends` lists them.")
@click.option("--config", type=FILE, help="TOML file of settings.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting.")
@click.option("--out", type=OUT, required=True, help="Run folder to write.")
@click.option("--seed", type=int, help="Same as --set train.seed=N.")
@click.option("--cache-gb", type=float, default=20.0, show_default=True, help="Feature cache.")
@click.option("--force", is_flag=True, help="Replace another model in the run folder.")
@click.option("--resume", type=click.Choice(("auto",)), default="auto", show_default=True,
              expose_value=False, help="Go on where the same training was stopped.")  # fmt: skip
@click.option(
    "--tensorboard", is_flag=True, help="Leave events for TensorBoard in OUT/tensorboard."
)
@run_options
def command(
    inputs: Inputs, backend: str | None, config: Path | None, assignments: tuple[str, ...],
    out: Path, seed: int | None, cache_gb: float, force: bool, tensorboard: bool, device: str,
    threads: int | None, json_output: bool,
) -> None:  # fmt: skip
    """Learn what healthy looks like; leave OUT/model.safetensors, and OUT/training.html to look at.

    A share of the subjects is never fitted: it says what a score means. Stopped, the same command
    goes on where it was.
    """
    from slicenet import checkpoint, files
    from slicenet.cache import Cache
    from slicenet.card import model_card
    from slicenet.inspection import inspect_to_learn
    from slicenet.journal import journal
    from slicenet.locking import locked
    from slicenet.recipe import resolve
    from slicenet.training import train

    recipe = resolve(backend, config, assignments, seed)
    place = prepare(device, threads)
    refuse_inside(out, inputs.places)
    cohort = healthy_cases(inputs, json_output, recipe.backend.build().frame.of_labels)
    if cohort.flat:
        recipe = resolve(backend, config, assignments, seed, flat=True)
    with locked(out), reporter(json_output) as watch:
        usable = inspect_to_learn(cohort, recipe.backend.build().frame, watch)
        told = told_of(usable)
        click.echo("".join(f"{line}\n" for line in told), err=True, nl=False)
        if not usable.cohort.cases:
            raise NoInputError("no healthy volume could be read", "E_NO_INPUT")
        path = out / "model.safetensors"
        if _done(path, recipe, usable, force):
            click.echo(f"{path}: already trained on these volumes with these settings", err=True)
        else:
            events = board(out / "tensorboard") if tensorboard else None
            logged = journal(out / METRICS, watch, events, _key(recipe, usable))
            cache = Cache(limit=cache_gb)
            model = train(recipe.name, recipe.backend, usable, recipe.train, logged, cache, place)
            files.remove(path)  # with --force: it is not what the others would say of it
            files.write_text(out / "config.toml", recipe.to_toml())
            files.write_text(out / "MODEL_CARD.md", model_card(model, recipe))
            checkpoint.save(path, model)  # last: where it stands, the folder is whole
        summary = _summary(path, usable.failures)
        text = _text(summary)
        _show(out, recipe.label, text)
        files.write_text(out / "log.txt", "\n".join([*told, text]) + "\n")
    echo_json(summary) if json_output else click.echo(text)
    if usable.failures:
        raise SystemExit(SOME_FAILED)


def healthy_cases(inputs: Inputs, json_output: bool, labels: bool = False) -> Any:
    """The healthy cases that are not for testing; all others are named and left out."""
    from slicenet.cohort.roles import TEST

    cohort = inputs.undivided(labels)
    if not json_output:
        inputs.show(cohort)
    healthy = cohort.healthy()
    healthy = healthy.select(i for i, case in enumerate(healthy.cases) if case.role != TEST)
    kept = set(healthy.cases)
    left = [case for case in cohort.cases if case not in kept]
    if left:
        names = ", ".join(case.name for case in left[:6]) + (", …" if len(left) > 6 else "")
        groups = ", ".join(sorted({_why(case) for case in left}))
        click.echo(f"left out {len(left)} of {len(cohort)}, group {groups}: {names}", err=True)
    if not healthy.cases:
        raise NoInputError("no healthy case among the inputs", "E_NO_INPUT", "see column group")
    return healthy


def _why(case: Any) -> str:
    """Why a case is not learnt from."""
    return f"{case.group or 'unknown'}{' (for testing)' if case.is_healthy else ''}"


def _key(recipe: Any, usable: Any) -> str:
    """What tells this training from others."""
    return hashlib.sha256(f"{recipe.to_toml()}{usable.digests}".encode()).hexdigest()[:12]


def _done(path: Path, recipe: Any, usable: Any, force: bool) -> bool:
    """Whether the model is there already; another one is only replaced when asked."""
    from slicenet.checkpoint import read
    from slicenet.training import parts

    if force or not path.exists():
        return False
    old = read(path)
    divided = parts(usable.cohort.cases, recipe.train)
    seen = [tuple(usable.digests[index] for index in part) for part in divided]
    same = (old.name, old.backend, old.origin.seed) == (
        recipe.name, recipe.backend, recipe.train.seed
    )  # fmt: skip
    if same and seen == [old.origin.fitted, old.origin.calibrated]:
        return True
    raise ConfigError(
        f"{path}: a model of other volumes or settings is there", "E_STALE",
        "choose another --out, or --force to replace it",
    )  # fmt: skip


def _show(out: Path, label: str, text: str) -> None:
    """Leave the course of training as a page and a picture, if there is a log of it."""
    from slicenet import files
    from slicenet.journal import read_journal
    from slicenet.training_page import training_page, training_png

    if not (out / METRICS).exists():
        return
    stages = read_journal(out / METRICS)
    files.write_text(out / "training.html", training_page(label, stages, text))
    if drawn := training_png(stages):
        files.write_bytes(out / "training.png", drawn)


def told_of(usable: Any) -> list[str]:
    """What was noticed while reading, and who was left out."""
    noticed = [f"warning: {n.message} [{n.code}]" for n in usable.notices]
    failed = [f"left out {name}: {error} [{error.code}]" for name, error in usable.failures]
    return list(dict.fromkeys([*noticed, *failed]))


def _summary(path: Path, failures: tuple[tuple[str, SlicenetError], ...]) -> dict[str, Any]:
    from slicenet.calibration import RATES
    from slicenet.checkpoint import read
    from slicenet.training import remarks

    model = read(path)
    calibration = model.detector.calibration
    thresholds = [
        {"fpr": rate, "value": value, "low": low, "high": high}
        for rate, value, (low, high) in zip(
            RATES, calibration.thresholds().values(), calibration.intervals, strict=True
        )
    ] if calibration else []  # fmt: skip
    return {
        "model": str(path), "sha256": model.digest, "backend": model.name,
        "fitted": len(model.origin.fitted), "calibrated": len(model.origin.calibrated),
        "thresholds": thresholds,
        "warnings": [notice.message for notice in remarks(model)],
        "failed": [{"case": n, "code": e.code, "message": e.message} for n, e in failures],
    }  # fmt: skip


def _text(summary: dict[str, Any]) -> str:
    lines = [
        f"{summary['model']}: {summary['backend']}, fitted on {summary['fitted']} volumes, "
        f"calibrated on {summary['calibrated']} others"
    ]
    lines += [
        f"  {row['fpr']:>6g} of healthy voxels lie above {row['value']:.4g}"
        f"  (95 % bootstrap interval {row['low']:.4g} to {row['high']:.4g})"
        for row in summary["thresholds"]
    ]
    return "\n".join([*lines, *(f"warning: {warning}" for warning in summary["warnings"])])
