"""`slicenet finetune`: from healthy volumes or pictures to the weights of a backbone."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import (
    FILE,
    SOME_FAILED,
    echo_json,
    prepare,
    refuse_inside,
    run_options,
)
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter
from slicenet.commands.train import healthy_cases, told_of
from slicenet.errors import ConfigError, NoInputError, SlicenetError

if TYPE_CHECKING:
    from slicenet.recipe import Recipe
    from slicenet.tuning import Tuned
    from slicenet.watch import Watch

    Failures = tuple[tuple[str, SlicenetError], ...]

BACKEND = "simpleslicenet"
ENDING = ".safetensors"
METHOD = "slices.finetune.method"
READ = "slices.read"
# What the weights bring themselves, or have behind them, when a model is trained with them.
USUAL = "slices.picture.usual"
SPENT = (METHOD, "slices.backbone.weights")
TARGET = click.Path(dir_okay=False, path_type=Path)


@click.command()
@input_options
@click.option("--out", type=TARGET, required=True, help="Weight file to write: ….safetensors.")
@click.option("--method", default="", help="lesions (simulated ones), edc or joint.")
@click.option("--config", type=FILE, help="TOML file of settings.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting.")
@click.option("--seed", type=int, help="Same as --set train.seed=N.")
@click.option("--holdout", type=float, help="Same as --set train.holdout=SHARE.")
@click.option("--images", is_flag=True, help="DATA are 2D pictures, or folders of them.")
@click.option("--force", is_flag=True, help="Replace another weight file.")
@run_options
def command(
    inputs: Inputs, out: Path, method: str, config: Path | None, assignments: tuple[str, ...],
    seed: int | None, holdout: float | None, images: bool, force: bool, device: str,
    threads: int | None, json_output: bool,
) -> None:  # fmt: skip
    """Let a backbone learn from healthy MRI; leave its weights in OUT.

    DATA as in `train`, or folders of 2D pictures. The subjects that `train` calibrates on with the
    same seed and holdout stay unseen.
    """
    from slicenet.locking import locked
    from slicenet.recipe import resolve
    from slicenet.tuning import check_method, leaves_no_decoder

    words = _assignments(assignments, method, holdout)
    recipe = resolve(BACKEND, config, words, seed)
    if leaves_no_decoder(recipe.backend) and READ not in recipe.notes:  # type: ignore[arg-type]
        words = (*words, f'{READ}=["encoder"]')  # the default is to read a decoder as well
        recipe = resolve(BACKEND, config, words, seed)
    check_method(recipe.backend)  # type: ignore[arg-type]  # it is the one of BACKEND
    _check_target(out, inputs.places, force)
    place = prepare(device, threads)
    learn = _by_volumes
    if images or _only_pictures(inputs):
        # A picture is from no place in a head, so that nothing tells what would be usual there.
        learn, words = _by_pictures, (*words, f"{USUAL}=false")
        recipe = resolve(BACKEND, config, words, seed)
    with locked(out.parent, out.name), reporter(json_output) as watch:
        tuned, failures = learn(inputs, recipe, place, watch, json_output)
        summary = _summary(out, _write(out, tuned), tuned, failures)
    summary["use"] = _use(out, config, words, recipe)
    echo_json(summary) if json_output else click.echo(_text(summary))
    if failures:
        raise SystemExit(SOME_FAILED)


def _assignments(given: Sequence[str], method: str, holdout: float | None) -> tuple[str, ...]:
    """What was set, and the options that stand for a setting behind it."""
    words = list(given)
    if method:
        words.append(f"{METHOD}={method}")
    if holdout is not None:
        words.append(f"train.holdout={holdout}")
    return tuple(words)


def _check_target(out: Path, places: Sequence[Path], force: bool) -> None:
    if out.suffix != ENDING:
        raise ConfigError(f"{out}: expected a name that ends in {ENDING}", "E_OUTPUT")
    refuse_inside(out.resolve().parent, places)
    if out.exists() and not force:
        raise ConfigError(
            f"{out}: is there already", "E_STALE", "choose another --out, or --force to replace it"
        )


def _only_pictures(inputs: Inputs) -> bool:
    """Whether there are 2D pictures, and nothing that could be a volume."""
    from slicenet.cohort.find import hold_volumes
    from slicenet.extractors.picture_folder import find_pictures

    return bool(find_pictures(inputs.places)) and not hold_volumes(inputs.places)


def _by_volumes(
    inputs: Inputs, recipe: "Recipe", place: str, watch: "Watch", json_output: bool
) -> "tuple[Tuned, Failures]":
    from slicenet.inspection import inspect_to_learn
    from slicenet.tuning import tune_by_volumes

    cohort = healthy_cases(inputs, json_output)
    backend: Any = recipe.backend
    usable = inspect_to_learn(cohort, backend.build().frame, watch)
    _echo_lines(told_of(usable))
    if not usable.cohort.cases:
        raise NoInputError("no healthy volume could be read", "E_NO_INPUT")
    return tune_by_volumes(backend, usable, recipe.train, watch, place), usable.failures


def _by_pictures(
    inputs: Inputs, recipe: "Recipe", place: str, watch: "Watch", json_output: bool
) -> "tuple[Tuned, Failures]":
    from slicenet.extractors.picture_folder import find_pictures, read_pictures
    from slicenet.tuning import tune_by_pictures

    if inputs.split:
        raise ConfigError("--split: pictures are learnt from without a split", "E_USAGE")
    backend: Any = recipe.backend
    tuning, paths = backend.slices.finetune, find_pictures(inputs.places)
    folder = read_pictures(paths, tuning.folder, backend.slices.picture, watch)
    _echo_lines(told_of(folder))
    return tune_by_pictures(backend, folder, recipe.train, watch, place), folder.failures


def _echo_lines(lines: Sequence[str]) -> None:
    click.echo("".join(f"{line}\n" for line in lines), err=True, nl=False)


def _write(out: Path, tuned: "Tuned") -> str:
    from slicenet.extractors.tuned import write_tuned

    return write_tuned(out, tuned.extractor.backbone, tuned.extractor.decoder, tuned.origin)


def _use(out: Path, config: Path | None, words: Sequence[str], recipe: "Recipe") -> str:
    """The command that trains with the weights, in the frame they were taught in."""
    kept = [word for word in words if word.partition("=")[0].strip() not in SPENT]
    told = [f"slices.backbone.weights={out}", f"{METHOD}=none", *kept]
    options = ["--config", str(config)] if config else []
    # With another seed, the subjects that it calibrates on would be known to the weights.
    options += ["--seed", str(recipe.train.seed)] if recipe.train.seed else []
    options += [part for word in told for part in ("--set", word)]
    return f"slicenet train DATA --backend {BACKEND} {shlex.join(options)} --out RUN"


def _summary(out: Path, sha256: str, tuned: "Tuned", failures: "Failures") -> dict[str, Any]:
    from slicenet.tuning import remarks

    origin = tuned.origin
    return {
        "weights": str(out), "sha256": sha256, "backbone": origin.backbone.name,
        "method": origin.method, "decoder": origin.decodes, "fitted": tuned.taught,
        "held_out": tuned.held, "warnings": [notice.message for notice in remarks(tuned)],
        "failed": [{"case": n, "code": e.code, "message": e.message} for n, e in failures],
    }  # fmt: skip


def _text(summary: dict[str, Any]) -> str:
    left = f", {summary['held_out']} volumes left unseen" if summary["held_out"] else ""
    lines = [
        f"{summary['weights']}: {summary['backbone']}, fine-tuned by {summary['method']} "
        f"on {summary['fitted']} inputs{left}",
        *(f"warning: {warning}" for warning in summary["warnings"]),
        f"use it: {summary['use']}",
    ]
    return "\n".join(lines)
