"""`slicenet compare`: several backends on one split."""

from pathlib import Path
from typing import Any

import click

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
from slicenet.errors import ConfigError, SlicenetError

RULE = "oracle: a threshold chosen with the truth, out of reach in practice; brackets: 95 %"


@click.command()
@input_options
@click.option(
    "--backends", required=True, metavar="NAME,NAME", help="Backends, presets or TOML files."
)
@click.option("--config", type=FILE, help="TOML file of settings that all of them have.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting.")
@click.option("--out", type=OUT, required=True, help="Folder to write tables and models to.")
@click.option("--test-share", type=click.FloatRange(0, 0.9), default=0.25, show_default=True,
              help="Share of the healthy subjects that are only tested.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--cache-gb", type=float, default=20.0, show_default=True, help="Feature cache.")
@run_options
def command(
    inputs: Inputs, backends: str, config: Path | None, assignments: tuple[str, ...], out: Path,
    test_share: float, seed: int, cache_gb: float, device: str, threads: int | None,
    json_output: bool,
) -> None:  # fmt: skip
    """Train and test several backends on the same subjects.

    Prints one table.

    Healthy subjects are split by seed into fit, calibration and test; all others are only tested.
    """
    from slicenet import leaderboard
    from slicenet.cache import Cache
    from slicenet.comparing import divide
    from slicenet.inspection import inspect_to_learn, inspect_to_test
    from slicenet.locking import locked
    from slicenet.recipe import resolve

    names = [name.strip() for name in backends.split(",") if name.strip()]
    if len(set(names)) < len(names) or not names:
        raise ConfigError(f"--backends {backends}: name each backend once", "E_SETTING")
    recipes = [resolve(name, config, assignments, seed) for name in names]
    place = prepare(device, threads)
    refuse_inside(out, inputs.places)
    split = divide(inputs.cohort(), test_share, seed)
    with locked(out), reporter(json_output) as watch:
        frame = recipes[0].backend.build().frame
        usable = inspect_to_learn(split.healthy, frame, watch)
        tested = inspect_to_test(split.tested, frame, usable, watch)
        failures = [*usable.failures, *tested.failures]
        for case, error in failures:
            click.echo(f"left out {case}: {error} [{error.code}]", err=True)
        cache = Cache(limit=cache_gb)
        lines = [
            _compare_one(recipe, usable, tested.cohort, out, watch, cache, place)
            for recipe in recipes
        ]
        _write(out, lines)
    if json_output:
        echo_json(leaderboard.records(lines))
    else:
        counts = f"{len(usable.cohort)} healthy learnt from, {len(tested.cohort)} others tested"
        click.echo(f"{leaderboard.text(lines)}\n\n{counts}; {RULE}\n{out}")
    if failures or any(line.failure for line in lines):
        raise SystemExit(SOME_FAILED)


def _compare_one(
    recipe: Any, usable: Any, tested: Any, out: Path, watch: Any, cache: Any, place: str
) -> Any:
    """One backend's line; its failure does not take the others down."""
    from slicenet.checkpoint import save
    from slicenet.comparing import run
    from slicenet.leaderboard import Line

    try:
        result = run(recipe, usable, tested, watch, cache, place)
    except SlicenetError as error:
        click.echo(f"{recipe.label} failed: {error} [{error.code}]", err=True)
        return Line(recipe.label, {}, None, error.code)
    save(out / recipe.label / "model.safetensors", result.model)
    result.evaluation.write(out / recipe.label)
    return Line(recipe.label, result.evaluation.to_json(), result.score_seconds)


def _write(out: Path, lines: Any) -> None:
    from slicenet import files, leaderboard

    files.write_json(out / "comparison.json", leaderboard.records(lines))
    files.write_text(out / "comparison.csv", leaderboard.spreadsheet(lines))
    files.write_text(out / "comparison.md", leaderboard.markdown(lines))
