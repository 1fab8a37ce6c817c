"""`slicenet backends`: what can be trained."""

import click

from slicenet.commands.door import echo_json, json_option


@click.command()
@json_option
def command(json_output: bool) -> None:
    """List the backends that can be trained, and the presets of their settings."""
    from slicenet import presets
    from slicenet.backends import BACKENDS

    about = {name: (backend.__doc__ or name).splitlines()[0] for name, backend in BACKENDS.items()}
    named = {name: presets.about(name) for name in presets.names()}
    if json_output:
        echo_json({"backends": about, "presets": named})
        return
    width = max(map(len, [*about, *named]))
    for name, text in about.items():
        click.echo(f"{name:<{width}}  {text}")
    click.echo("\nPresets, which --backend takes as well:")
    for name, text in named.items():
        click.echo(f"{name:<{width}}  {text}")
    click.echo("\n`slicenet config --backend NAME` prints the settings of one.")
