"""`slicenet config`: the settings that a training would use."""

from pathlib import Path

import click

from slicenet.commands.door import FILE, echo_json, json_option


@click.command()
@click.option("--backend", help="Name of a backend; `slicenet backends` lists them.")
@click.option("--config", type=FILE, help="TOML file of settings.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting.")
@click.option("--seed", type=int, help="Same as --set train.seed=N.")
@json_option
def command(
    backend: str | None, config: Path | None, assignments: tuple[str, ...], seed: int | None,
    json_output: bool,
) -> None:  # fmt: skip
    """Print all settings as TOML, each with where it came from.

    The output is itself a file for --config.
    """
    import tomllib

    from slicenet.recipe import resolve

    recipe = resolve(backend, config, assignments, seed)
    if json_output:
        echo_json({"settings": tomllib.loads(recipe.to_toml()), "origins": dict(recipe.notes)})
        return
    click.echo(recipe.to_toml(), nl=False)
