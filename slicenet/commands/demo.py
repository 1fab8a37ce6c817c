"""`slicenet demo`: the whole way on phantoms, with nothing but this package."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slicenet.commands.door import OUT

if TYPE_CHECKING:
    from slicenet.report import Written


@click.command()
@click.argument("out", type=OUT, default=Path("demo"))
def command(out: Path) -> None:
    """Go the whole way on phantoms and write OUT/group.html.

    Makes phantoms, then trains, scores and evaluates every backend, and writes a page for each
    subject with the maps of the main one.

    Needs no data, no network and no GPU. OUT is ./demo by default; run again, it only does what
    is missing.
    """
    from slicenet import demo, files, leaderboard

    began = time.monotonic()
    files.make_folder(out)
    for words in demo.preparations(out, 0):
        _run(words, out / "log.txt")
    for group in demo.methods(out).values():
        for words in group:
            _run(words, out / "log.txt")
    written = _report(demo.report(out), out / "log.txt")
    found = demo.lines(out)
    drawn = demo.picture(out, [line.backend for line in found])
    files.write_bytes(out / "strangest.png", drawn)
    files.write_text(out / "results.md", leaderboard.markdown(found))
    files.write_text(out / "group.html", demo.group_page(out, found, drawn, written))
    click.echo(f"\n{demo.summary(found)}\n\nThe commands that made this:\n")
    for line in demo.all_commands(out):
        click.echo(f"    {line}")
    best = found[0].backend
    # By the embedded model, not by one of phantoms.
    click.echo("\nYour own scan, as it came from the scanner:\n")
    click.echo("    slicenet prepare SCAN.nii.gz prepared --spacing 2")
    click.echo("    slicenet score prepared --native --out maps\n")
    click.echo(f"{time.monotonic() - began:.0f} s; maps in {out / best / 'maps'}")
    click.echo(f"open {out / 'group.html'}")


def _report(words: list[str], log: Path) -> "Written":
    """Run `slicenet report` as if typed, and keep what it drew for the page of the demo."""
    from slicenet.commands import report

    with _logged(words, log):
        return report.write(Path(words[1]), Path(words[3]), None, False)


def _run(words: list[str], log: Path) -> None:
    """Run one command as if typed; what it prints goes to the log, its progress to the screen."""
    from slicenet.commands import main

    with _logged(words, log):
        main.main(words, standalone_mode=False)


@contextlib.contextmanager
def _logged(words: list[str], log: Path) -> Iterator[None]:
    import io
    import shlex

    from slicenet.files import appending

    click.echo(f"$ {shlex.join(['slicenet', *words])}", err=True)
    file = io.TextIOWrapper(io.BufferedWriter(appending(log)), "utf-8", line_buffering=True)
    with file, contextlib.redirect_stdout(file):
        click.echo(f"$ {shlex.join(['slicenet', *words])}")
        yield
