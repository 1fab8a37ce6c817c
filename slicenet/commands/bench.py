"""`slicenet bench`: time and memory of every backend here."""

import click

from slicenet.commands.door import echo_json, prepare, run_options
from slicenet.commands.progress import reporter


@click.command()
@click.option("--backends", "names", default="", help="Comma-separated; all by default.")
@click.option("--edge", type=click.IntRange(32, 512), default=192, show_default=True,
              help="Voxels along an edge of the volume to score, at 1 mm.")  # fmt: skip
@run_options
def command(names: str, edge: int, device: str, threads: int | None, json_output: bool) -> None:
    """Measure seconds and memory a volume of every backend.

    Needs neither data nor weights.
    """
    from slicenet.bench import bench

    place = prepare(device, threads)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    with reporter(json_output) as watch:
        rows = bench(chosen, edge, place, watch)
    if json_output:
        echo_json(rows)
        return
    click.echo(f"{'backend':<20} {'train s/volume':>15} {'score s/volume':>15} {'peak GB':>8}")
    for row in rows:
        click.echo(f"{row['backend']:<20} {row['train_seconds']:>15.2f} "
                   f"{row['score_seconds']:>15.2f} {row['peak_gb']:>8.2f}")  # fmt: skip
    click.echo(f"a volume of {edge}³ voxels at 1 mm on {place}; peak of a process that only scores")
