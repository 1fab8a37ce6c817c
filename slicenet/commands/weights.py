"""`slicenet weights`: pretrained weights, and the only way that slicenet uses the network."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import FILE, echo_json, json_option
from slicenet.commands.progress import reporter

if TYPE_CHECKING:
    from slicenet.weights import Weights


@click.group()
def command() -> None:
    """List, import, fetch and find pretrained weights.

    They lie in SLICENET_WEIGHTS, by default in the user's data folder. Only `fetch` uses the
    network.
    """


@command.command("list")
@json_option
def list_weights(json_output: bool) -> None:
    """Show the weights that are here, and the known ones that are not."""
    from slicenet.folders import weights_folder
    from slicenet.weights import KNOWN, held

    here = held()
    names = {weights.name for weights in here}
    absent = [known for name, known in KNOWN.items() if name not in names]
    if json_output:
        missing = [{"name": one.name, "file": one.file, "url": one.url} for one in absent]
        folder = str(weights_folder())
        echo_json({"folder": folder, "held": list(map(_table, here)), "missing": missing})
        return
    click.echo(f"{weights_folder()}: {len(here)} held")
    width = max(len(name) for name in [*names, *KNOWN])
    for weights in here:
        told = "verified" if weights.verified else "not one of the known files"
        told = "comes with slicenet" if weights.packaged else told
        megabytes = f"{weights.size / 1e6:.1f} MB"
        click.echo(f"{weights.name:<{width}}  here     {megabytes:>9}  {told}  {weights.licence}")
    for known in absent:
        click.echo(f"{known.name:<{width}}  missing  bring {known.file}")


@command.command("import")
@click.argument("file", type=FILE)
@click.option("--name", default="", help="Name to keep it under; known files know theirs.")
@click.option("--licence", default="", help="Licence to note down with it.")
@json_option
def import_weights(file: Path, name: str, licence: str, json_output: bool) -> None:
    """Bring a .safetensors or .pth FILE into the folder of weights.

    Nothing in it is run, and a file that holds more than tensors is refused.
    """
    from slicenet.weights import import_file

    _tell(import_file(file, name, licence=licence), json_output)


@command.command("fetch")
@click.argument("name")
@click.option("--url", default="", help="Address to use in place of the published one.")
@click.option("--sha256", default="", help="Hash that the file must have, or its beginning.")
@json_option
def fetch_weights(name: str, url: str, sha256: str, json_output: bool) -> None:
    """Download the weights called NAME, check them and keep them."""
    from slicenet.weights import fetch

    with reporter(json_output) as watch:
        weights = fetch(name, url, sha256, watch=watch)
    _tell(weights, json_output)


@command.command("path")
@click.argument("name")
@json_option
def find_weights(name: str, json_output: bool) -> None:
    """Print the file of the weights called NAME."""
    from slicenet.weights import path

    file = path(name)
    if json_output:
        echo_json({"name": name, "path": str(file)})
        return
    click.echo(file)


def _tell(weights: "Weights", json_output: bool) -> None:
    if json_output:
        echo_json(_table(weights))
        return
    told = "verified" if weights.verified else "not one of the known files; use it if you trust it"
    click.echo(f"{weights.name}: {weights.path}, {weights.size / 1e6:.1f} MB, {told}")


def _table(weights: "Weights") -> dict[str, Any]:
    table = dataclasses.asdict(weights)
    return table | {"path": str(weights.path), "verified": weights.verified}
