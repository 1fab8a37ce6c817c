"""`slicenet report`: pages of what scoring left."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slicenet.commands.door import NONE_USABLE, SOME_FAILED, echo_json, json_option
from slicenet.commands.progress import reporter

if TYPE_CHECKING:
    from slicenet.report import Written

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
PLACE = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("out", type=FOLDER)
@click.option("--truth", type=PLACE, help="BIDS root, table, or folder of masks, as for evaluate.")
@click.option("--images", type=PLACE, help="Where the scored images are now, if they were moved.")
@json_option
def command(out: Path, truth: Path | None, images: Path | None, json_output: bool) -> None:
    """Write a page for each case of OUT, and OUT/group.html with all of them.

    OUT is a folder of `slicenet score`. Each page is one file that needs no network: three planes
    with the map on them at a threshold that slides over calibrated rates, the strangest slices, the
    pieces above the threshold. Run again, only pages that change are written.
    """
    done = write(out, truth, images, json_output)
    if done.broken:
        raise SystemExit(SOME_FAILED if done.drawn else NONE_USABLE)


def write(out: Path, truth: Path | None, images: Path | None, json_output: bool) -> "Written":
    """Write the report and say what became of it."""
    from slicenet.cohort import find_cohort
    from slicenet.locking import locked
    from slicenet.report import write_report

    cases = {case.name: case for case in find_cohort([images]).cases} if images else {}
    with locked(out), reporter(json_output) as watch:
        done = write_report(out, truth, cases, watch)
    for notice in done.notices:
        click.echo(f"warning: {notice.message} [{notice.code}]", err=True)
    failed = [*done.scored.failures, *done.broken]
    for one in failed:
        click.echo(f"failed {one.name}: {one.message} [{one.code}]", err=True)
    if json_output:
        echo_json({
            "out": str(out), "pages": [str(page) for page in done.pages],
            "changed": [str(page) for page in done.changed],
            "failed": [
                {"case": one.name, "code": one.code, "message": one.message, "hint": one.hint}
                for one in failed
            ],
        })  # fmt: skip
    else:
        click.echo(f"{len(done.pages)} pages, {len(done.changed)} written, {len(failed)} failed")
        click.echo(f"open {done.pages[-1]}")
    return done
