"""Pages that the code writes itself: what each command takes, what each backend can be told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
from sphinx.application import Sphinx

from slicenet import presets
from slicenet.backends import BACKENDS
from slicenet.commands import main
from slicenet.recipe import resolve

WIDTH = 92


def commands() -> Iterator[str]:
    """The help of each command, as it prints it; those of a group below it."""
    top = click.Context(main, info_name="slicenet", terminal_width=WIDTH, max_content_width=WIDTH)
    yield f"```text\n{main.get_help(top)}\n```\n"
    for name in main.list_commands(top):
        yield from _of(main.commands[name], f"slicenet {name}", 2)


def _of(command: click.Command, name: str, depth: int) -> Iterator[str]:
    alone = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield f"{'#' * depth} {name}\n\n```text\n{command.get_help(alone)}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _of(inner, f"{name} {inner.name}", depth + 1)


def settings() -> Iterator[str]:
    """Every setting of each backend with its default, as `slicenet config` prints them."""
    yield "## Backends\n"
    for name, backend in BACKENDS.items():
        toml = resolve(name, None, ()).to_toml().replace("  # default", "")
        yield f"### {name}\n\n{backend.__doc__}\n\n```toml\n{toml}```\n"
    yield "## Presets\n\nEach as the file that it is; what it does not name keeps its default.\n"
    for file in sorted(Path(presets.__path__[0]).glob("*.toml")):
        yield f"### {file.stem}\n\n```toml\n{file.read_text('utf-8')}```\n"


PAGES: dict[str, Callable[[], Iterator[str]]] = {"commands": commands, "settings": settings}


def setup(app: Sphinx) -> dict[str, bool]:
    def read(_: Sphinx, name: str, source: list[str]) -> None:
        if name in PAGES:
            source[0] += "\n" + "\n".join(PAGES[name]())

    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
