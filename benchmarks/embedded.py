"""What the embedded model costs: its file, loading it, a volume, memory, on two threads.

python benchmarks/embedded.py SCAN…
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch

from slicenet import checkpoint, embedded
from slicenet.cohort import find_cohort
from slicenet.detector import Detector
from slicenet.volume import Volume


def peak() -> float:
    """GB that this process has held at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e6


def seconds(detector: Detector, volumes: Sequence[Volume]) -> float:
    """The median over volumes, each scored once; the first warms up."""
    detector.score(volumes[0])
    found = []
    for volume in volumes:
        began = time.perf_counter()
        detector.score(volume)
        found.append(time.perf_counter() - began)
    return float(np.median(found))


@click.command()
@click.argument("scans", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--most", default=5, show_default=True, help="Volumes.")
def main(scans: tuple[Path, ...], most: int) -> None:
    """Print one line a figure."""
    torch.set_num_threads(2)
    began = time.perf_counter()
    model = checkpoint.read(embedded.place())
    click.echo(f"load      {time.perf_counter() - began:.2f} s after imports")
    click.echo(f"file      {embedded.FILE.stat().st_size / 1e6:.1f} MB, {model.origin.licence}")
    volumes = [volume for volume, _ in zip(find_cohort(scans), range(most), strict=False)]
    for precision in ("float32", "bfloat16"):
        backbone = model.detector.extractor.backbone
        backbone.settings = replace(backbone.settings, precision=precision)
        took = seconds(model.detector, volumes)
        click.echo(f"{precision:<9} {took:.2f} s a volume")
    click.echo(f"peak      {peak():.2f} GB")


if __name__ == "__main__":
    main()
