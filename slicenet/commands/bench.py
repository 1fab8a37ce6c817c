"""`slicenet bench`: time and memory of every backend, and of slices beside the published way."""

import click

from slicenet.commands.door import echo_json, prepare, run_options
from slicenet.commands.progress import reporter


@click.command()
@click.option(
    "--backends",
    "names",
    default="",
    help="Comma-separated; by default those that train no network.",
)
@click.option("--edge", type=click.IntRange(32, 512), default=192, show_default=True,
              help="Voxels along an edge of the volume to score, at 1 mm.")  # fmt: skip
@click.option("--slices", type=click.IntRange(6), default=96, show_default=True,
              help="Slices that SimpleSliceNet is measured with, in threes.")  # fmt: skip
@click.option("--pixels", type=click.IntRange(32), default=192, show_default=True,
              help="Pixels along an edge of such a slice, in sixteens.")  # fmt: skip
@click.option("--backbone", default="wide_resnet50_2", show_default=True,
              help="A ResNet of bottlenecks.")  # fmt: skip
@click.option("--bfloat16", is_flag=True, help="Measure bfloat16 even where it is slower.")
@run_options
def command(
    names: str, edge: int, slices: int, pixels: int, backbone: str, bfloat16: bool, device: str,
    threads: int | None, json_output: bool,
) -> None:  # fmt: skip
    """Measure seconds and memory a volume of backends, and of SimpleSliceNet.

    SimpleSliceNet is measured on the CPU beside its published formulation. Needs neither data nor
    weights; the last line states the result.
    """
    from slicenet.bench.backends import bench
    from slicenet.bench.report import backend_lines, slice_lines
    from slicenet.bench.slices import SliceBenchSettings, compare

    settings = SliceBenchSettings(backbone, pixels, slices, bfloat16=bfloat16)
    place = prepare(device, threads)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    with reporter(json_output) as watch:
        rows = bench(chosen, edge, place, watch)
        if not json_output:
            click.echo("\n".join(backend_lines(rows, edge, place)))
        found = compare(settings, watch)
    if json_output:
        echo_json({"backends": rows, "slices": found})
        return
    click.echo("\n".join(slice_lines(found)))
