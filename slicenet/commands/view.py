"""`slicenet view`: one map in a browser."""

import tempfile
from pathlib import Path

import click

from slicenet.commands.door import FILE
from slicenet.errors import ConfigError

PAGE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("map", type=FILE)
@click.option("--image", type=FILE, help="What to lay the map over.  [default: what was scored]")
@click.option("--out", type=PAGE, help="Page to write.  [default: a temporary one]")
@click.option("--no-open", is_flag=True, help="Only say where the page is.")
def command(map: Path, image: Path | None, out: Path | None, no_open: bool) -> None:
    """Look at a MAP in a browser.

    Opens the report beside MAP if there is one, or else a page made of MAP, which needs no
    network and shows the left on the left; --image and --out ask for such a page in any case.
    Prints where the page is.
    """
    from slicenet import files, viewer

    if out and out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {out}: expected a name that ends with .html", "E_NAME")
    found = None if image or out else viewer.beside(map)
    if found is None:
        image = image or _scored(map)
        content = viewer.page(map, image)
        found = out or Path(tempfile.mkdtemp(prefix="slicenet-")) / f"{map.name.split('.')[0]}.html"
        files.write_text(found, content)
    click.echo(found)
    if not no_open:
        viewer.show(found)


def _scored(map: Path) -> Path | None:
    """The image that the map was made from, or what keeps it from being shown."""
    from slicenet import viewer

    image, notices = viewer.image_of(map)
    for notice in notices:
        click.echo(f"warning: {notice.message} [{notice.code}]", err=True)
    return image
