"""`slicenet cache`: the feature maps kept on disk."""

import click

from slicenet.commands.door import echo_json, json_option


@click.command()
@click.option("--clear", is_flag=True, help="Remove every feature map.")
@json_option
def command(clear: bool, json_output: bool) -> None:
    """Show the feature cache, or clear it.

    It lies in SLICENET_CACHE, by default in the user's cache folder, and can be cleared any time.
    """
    from slicenet.cache import Cache

    cache = Cache()
    maps, size = cache.size()
    if clear:
        cache.clear()
    if json_output:
        echo_json({"folder": str(cache.folder), "maps": maps, "bytes": size, "cleared": clear})
        return
    click.echo(f"{cache.folder}: {maps} feature maps, {size / 1e9:.3f} GB")
    if clear:
        click.echo("cleared")
