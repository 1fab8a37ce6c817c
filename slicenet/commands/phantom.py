"""`slicenet phantom`: made-up brains with lesions and the truth about them."""

import time
from pathlib import Path
from typing import Any

import click

from slicenet.commands.door import OUT, echo_json, json_option
from slicenet.commands.progress import reporter
from slicenet.errors import ConfigError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
COUNT = click.IntRange(min=0)


@click.command()
@click.argument("out", type=OUT)
@click.option("--healthy", type=COUNT, default=24, show_default=True, help="Healthy subjects.")
@click.option("--lesioned", type=COUNT, default=16, show_default=True, help="Lesioned subjects.")
@click.option("--seed", type=COUNT, default=0, show_default=True, help="Other seed, other brains.")
@click.option("--spacing", type=float, help="Edge of a voxel in mm.  [default: 2]")
@click.option("--contrast", "contrasts", multiple=True, metavar="NAME",
              help="T1w, T2w or FLAIR; several give several images.  [default: T1w]")  # fmt: skip
@click.option("--base", type=FOLDER, metavar="FOLDER",
              help="Real healthy scans to put lesions into; no made-up brains.")  # fmt: skip
@click.option("--shapes", type=FOLDER, metavar="FOLDER",
              help="Lesion masks in MNI space, whose shapes and places lesions take.")  # fmt: skip
@click.option("--mass-effect", is_flag=True, help="Lesions push the tissue around them away.")
@click.option("--template", help="icbm152, procedural, or auto.  [default: auto]")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
              help="One setting, such as strength=0.5 or most_lesions=1.")  # fmt: skip
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes; 0 for none beside this one.  [default: 2, of one subject 0]",
)
@json_option
def command(
    out: Path, healthy: int, lesioned: int, seed: int, spacing: float | None,
    contrasts: tuple[str, ...], base: Path | None, shapes: Path | None, mass_effect: bool,
    template: str | None, assignments: tuple[str, ...], workers: int | None, json_output: bool,
) -> None:  # fmt: skip
    """Make healthy and lesioned brains with known truth.

    Writes a BIDS data set to OUT.

    The same command gives the same files; an interrupted one goes on where it stopped.
    """
    from slicenet.config import overlay, parse_assignments
    from slicenet.phantom import PhantomSettings, write_phantoms
    from slicenet.pool import usual_workers

    if base and (spacing or template):
        raise ConfigError("--base keeps its own grid and brains", "E_USAGE",
                          "leave out --spacing and --template")  # fmt: skip
    options = {"spacing": spacing, "contrasts": contrasts, "template": template,
               "mass_effect": mass_effect}  # fmt: skip
    given = {name: value for name, value in options.items() if value}
    settings = overlay(PhantomSettings(), {**parse_assignments(assignments), **given})
    began = time.monotonic()
    with reporter(json_output) as watch:
        written = write_phantoms(
            out, healthy, lesioned, seed, settings, watch, base=base, shapes=shapes,
            workers=usual_workers(healthy + lesioned) if workers is None else workers,
        )  # fmt: skip
    for notice in written.notices:
        click.echo(f"warning: {notice.message} [{notice.code}]", err=True)
    summary = _summary(written) | {
        "out": str(out), "contrasts": list(settings.contrasts),
        "spacing": None if base else settings.spacing,
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    echo_json(summary) if json_output else _show(summary)


def _summary(written: Any) -> dict[str, Any]:
    rows = written.rows
    volumes = [row["lesion_volume"] for row in rows if row["group"] == "lesioned"]
    return {
        "healthy": len(rows) - len(volumes), "lesioned": len(volumes),
        "skipped": written.skipped,
        "mean_lesion_volume": sum(volumes) / len(volumes) if volumes else None,
        "warnings": [notice.message for notice in written.notices],
    }  # fmt: skip


def _show(summary: dict[str, Any]) -> None:
    from slicenet.phantom.describing import WARNING

    grid = f", {summary['spacing']:g} mm" if summary["spacing"] else ", real scans"
    click.echo(f"{summary['out']}: {summary['healthy']} healthy and {summary['lesioned']} lesioned "
               f"brains, {' '.join(summary['contrasts'])}{grid}")  # fmt: skip
    if summary["mean_lesion_volume"] is not None:
        millilitres = summary["mean_lesion_volume"] / 1000
        click.echo(f"  lesions fill {millilitres:.1f} ml of a lesioned brain on average")
    kept = f", {summary['skipped']} were there already" if summary["skipped"] else ""
    click.echo(f"  {summary['seconds']:.1f} s{kept}")
    click.echo(WARNING)
