"""`slicenet compare`: several backends on one split."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import (
    FILE,
    OUT,
    SOME_FAILED,
    echo_json,
    of_system,
    prepare,
    refuse_inside,
    run_options,
)
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter
from slicenet.errors import ConfigError, NoInputError, SlicenetError

if TYPE_CHECKING:
    from slicenet.comparing.standing import Standing
    from slicenet.comparing.trial import Ground, Outcome, Trial
    from slicenet.inspection import Usable


@click.command()
@input_options
@click.option(
    "--backends", required=True, metavar="NAME,NAME", help="Backends, presets or TOML files."
)
@click.option("--config", type=FILE, help="TOML file of settings that all of them have.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting.")
@click.option("--out", type=OUT, required=True, help="Folder to write tables and models to.")
@click.option("--seeds", default="0,1,2", show_default=True, metavar="N,N",
              help="Trainings of each backend.")  # fmt: skip
@click.option("--test-share", type=click.FloatRange(0, 0.9), default=0.25, show_default=True,
              help="Share of the healthy subjects that are only tested.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Chooses those subjects.")  # fmt: skip
@click.option("--cache-gb", type=float, default=20.0, show_default=True, help="Feature cache.")
@run_options
def command(
    inputs: Inputs, backends: str, config: Path | None, assignments: tuple[str, ...], out: Path,
    seeds: str, test_share: float, seed: int, cache_gb: float, device: str, threads: int | None,
    json_output: bool,
) -> None:  # fmt: skip
    """Train and test several backends on the same subjects.

    Prints what each is worth, how far it is behind the best, and what it takes.

    Some healthy subjects, and all that are not healthy, are only tested, by all backends and seeds.
    Run again, it does only what is missing.
    """
    import torch

    from slicenet.cache import Cache
    from slicenet.comparing import divide
    from slicenet.comparing.report import Report, clear
    from slicenet.comparing.standing import ordered
    from slicenet.comparing.trial import Ground
    from slicenet.locking import locked

    chosen = _seeds(seeds)
    plans = _plans(backends, config, assignments, chosen)
    place = prepare(device, threads)
    refuse_inside(out, inputs.places)
    cohort = inputs.undivided(labels=_frame(plans).of_labels)
    if cohort.flat:
        plans = _plans(backends, config, assignments, chosen, flat=True)
    split = divide(cohort, test_share, seed)
    with locked(out):
        clear(out)
        usable, tested = _inspected(split, _frame(plans), json_output)
        cache = Cache(limit=cache_gb)
        ground = Ground(usable, tested, cache, place, torch.get_num_threads())
        trials = _trials(plans, ground, out)
        standings = ordered([_stand(label, some, json_output) for label, some in trials.items()])
        report = Report(standings, chosen, len(usable.cohort), len(tested.cohort))
        report.write(out)
    _warn(standings)
    echo_json(report.to_json()) if json_output else click.echo(f"{report.text()}\n\n{out}")
    if usable.failures or tested.failures or any(one.failure for one in standings):
        raise SystemExit(SOME_FAILED)


def _seeds(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() for word in words) or len(set(words)) < len(words):
        hint = "whole numbers from 0, each once: --seeds 0,1,2"
        raise ConfigError(f"--seeds {text}: not a list of seeds", "E_SETTING", hint)
    return tuple(map(int, words))


def _plans(
    backends: str,
    config: Path | None,
    assignments: tuple[str, ...],
    seeds: Sequence[int],
    flat: bool = False,
) -> dict[str, list[Any]]:
    """The recipes of each backend, one a seed."""
    from slicenet.recipe import resolve

    plans: dict[str, list[Any]] = {}
    for name in [name.strip() for name in backends.split(",") if name.strip()]:
        recipes = [resolve(name, config, assignments, seed, flat) for seed in seeds]
        if recipes[0].label in plans:
            message = f"--backends {backends}: two are called {recipes[0].label}"
            raise ConfigError(message, "E_SETTING", "name each once, and files differently")
        plans[recipes[0].label] = recipes
    if not plans:
        raise ConfigError(f"--backends {backends}: name some", "E_SETTING")
    return plans


def _frame(plans: dict[str, list[Any]]) -> Any:
    """That of the first backend which can be built; another fails when its turn comes."""
    failures = []
    for recipes in plans.values():
        try:
            return recipes[0].backend.build().frame
        except SlicenetError as error:
            failures.append(error)
    raise failures[0]


def _inspected(split: Any, frame: Any, quiet: bool) -> tuple["Usable", "Usable"]:
    from slicenet.inspection import inspect_to_learn, inspect_to_test

    with reporter(quiet) as watch:
        usable = inspect_to_learn(split.healthy, frame, watch)
        tested = inspect_to_test(split.tested, frame, usable, watch)
    for case, error in (*usable.failures, *tested.failures):
        click.echo(f"left out {case}: {error} [{error.code}]", err=True)
    if not tested.cohort.cases:
        raise NoInputError("no volume to test could be read", "E_NO_INPUT")
    return usable, tested


def _trials(
    plans: dict[str, list[Any]], ground: "Ground", out: Path
) -> dict[str, list[tuple[str, "Trial"]]]:
    """What is to be done for each backend, with names for people."""
    from slicenet.comparing.trial import Trial

    total, number = sum(map(len, plans.values())), count(1)
    return {
        label: [
            (
                f"{label}, seed {recipe.train.seed} ({next(number)} of {total})",
                Trial(recipe, ground, out / label / f"seed-{recipe.train.seed}"),
            )
            for recipe in recipes
        ]
        for label, recipes in plans.items()
    }


def _stand(label: str, trials: Sequence[tuple[str, "Trial"]], quiet: bool) -> "Standing":
    """One backend with all of its seeds; a failure ends this backend and no other."""
    from slicenet.comparing.standing import Standing

    outcomes = []
    for name, trial in trials:
        try:
            outcomes.append(_carried_out(trial, name, quiet))
        except (SlicenetError, OSError) as error:
            failure = error if isinstance(error, SlicenetError) else of_system(error)
            if failure is None:  # a pipe that nobody reads, say, is no fault of the backend
                raise
            seed = trial.recipe.train.seed
            click.echo(f"{label} failed with seed {seed}: {failure} [{failure.code}]", err=True)
            return Standing(label, (), failure.code, f"seed {seed}: {failure}")
    return Standing(label, outcomes)


def _carried_out(trial: "Trial", name: str, quiet: bool) -> "Outcome":
    """The outcome of a trial, which may be there already."""
    from slicenet.apart import work_apart

    before = trial.outcome()
    if before:
        aside = "" if trial.keeps_model() else ", its model aside"
        click.echo(f"{name}: taken from before{aside}", err=True)
        return before
    changed = ": data, settings or versions have changed since" if trial.stands() else ""
    click.echo(f"{name}{changed}", err=True)
    # Its memory is then its own, and running out of it ends this trial alone.
    with reporter(quiet) as watch:
        work_apart(trial.carry_out, watch)
    outcome = trial.outcome()
    assert outcome is not None, "a trial that ended well is whole"
    return outcome


def _warn(standings: Sequence["Standing"]) -> None:
    """What users of these models have to know, each thing once."""
    records = [outcome.record for standing in standings for outcome in standing.outcomes]
    warnings = [warning for record in records for warning in record["warnings"]]
    for line in dict.fromkeys(f"warning: {one['message']} [{one['code']}]" for one in warnings):
        click.echo(line, err=True)
