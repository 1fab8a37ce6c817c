"""`slicenet backends`: what can be trained."""

import click

from slicenet.commands.door import echo_json, json_option


@click.command()
@json_option
def command(json_output: bool) -> None:
    """List the backends that can be trained."""
    from slicenet.backends import BACKENDS

    about = {name: (backend.__doc__ or "").strip() for name, backend in BACKENDS.items()}
    if json_output:
        echo_json(about)
        return
    width = max(map(len, about))
    for name, text in about.items():
        click.echo(f"{name:<{width}}  {text}")
    click.echo("\n`slicenet config --backend NAME` prints the settings of one.")
