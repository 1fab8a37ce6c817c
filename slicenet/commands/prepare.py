"""`slicenet prepare`: from scans as they come to brains in MNI space."""

from pathlib import Path
from typing import Any

import click

from slicenet.commands.door import (
    NONE_USABLE,
    SOME_FAILED,
    echo_json,
    json_option,
    refuse_inside,
)
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter
from slicenet.errors import ConfigError


@click.command()
@input_options
@click.option("--spacing", type=float, default=1.0, show_default=True, help="Voxel edge in mm.")
@click.option("--skull-strip-cmd", "skull_strip", default="", metavar="COMMAND",
              help="An installed tool, such as 'hd-bet -i {in} -o {out}' or "
                   "'mri_synthstrip -i {in} -m {mask}'.")  # fmt: skip
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes; 0 for none beside this one.  [default: 2, of one scan 0]",
)
@json_option
def command(
    inputs: Inputs, spacing: float, skull_strip: str, workers: int | None, json_output: bool
) -> None:
    """Make scans ready: even gain, no skull, on the average brain of MNI space.

    The last of DATA is the folder to write to, as in `slicenet prepare scan.nii.gz prepared`. It
    becomes a BIDS derivative that `train` and `score` take. A scan that lies badly on the average
    brain is flagged and not passed on. Run again, it does what is missing.
    """
    from slicenet.pool import usual_workers
    from slicenet.preparing.dataset import TABLE, prepare
    from slicenet.preparing.settings import PrepareSettings
    from slicenet.preparing.subject import GOOD

    *places, out = inputs.places
    if not places:
        raise ConfigError(f"{out}: alone, with nowhere to write to", "E_USAGE",
                          "slicenet prepare SCAN… OUT")  # fmt: skip
    settings = PrepareSettings(spacing, skull_strip)
    cohort = inputs.at(places).part()
    refuse_inside(out, tuple(places))
    for notice in cohort.notices:
        click.echo(f"warning: {notice.message} [{notice.code}]", err=True)
    with reporter(json_output) as watch:
        rows, kept = prepare(
            cohort,
            out,
            settings,
            inputs.sequences,
            watch,
            usual_workers(len(cohort)) if workers is None else workers,
        )
    bad = [row for row in rows if row["status"] != GOOD]
    for row in bad:
        click.echo(f"{row['status']} {row['name']}: {row['reason']} [{row['code']}]", err=True)
    if json_output:
        echo_json({"out": str(out), "cases": rows, "kept": kept})
    else:
        _show(rows, kept, out, out / TABLE)
    if bad:
        raise SystemExit(SOME_FAILED if len(bad) < len(rows) else NONE_USABLE)


def _show(rows: list[dict[str, Any]], kept: int, out: Path, table: Path) -> None:
    from slicenet.preparing.subject import FLAGGED, GOOD

    good = [row for row in rows if row["status"] == GOOD]
    width = max((len(row["name"]) for row in good), default=0)
    if good:
        click.echo(f"{'name':<{width}}  similarity  overlap  brain ml  seconds  brain mask from")
    for row in good:
        click.echo(
            f"{row['name']:<{width}}  {row['similarity']:>10.2f}  {row['overlap']:>7.2f}"
            f"  {row['brain_ml']:>8.0f}  {row['seconds']:>7.1f}  {row['method']}"
        )
    flagged = sum(row["status"] == FLAGGED for row in rows)
    failed = len(rows) - len(good) - flagged
    click.echo(f"{out}: {len(good)} ready ({kept} already there), {flagged} flagged, "
               f"{failed} failed; {table.name} has them all, figures/ the pictures")  # fmt: skip
