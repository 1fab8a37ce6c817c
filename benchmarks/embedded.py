"""What the embedded model costs on two threads, and how often it finds a scan unlike its cohort.

The scans are those of IXI that it was neither fitted nor calibrated on.

    python benchmarks/embedded.py ../shared/data/ixi-hh
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from changes import CHANGES
from domain import inverted

from slicenet import checkpoint, embedded
from slicenet.cohort import find_cohort
from slicenet.cohort.roles import read_roles
from slicenet.detector import Detector
from slicenet.domain import portray, strange_themes
from slicenet.phantom import PhantomSettings, make_phantom
from slicenet.volume import Volume

TIMED = 5  # volumes
PHANTOMS = 50


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


def flagged(detector: Detector, volumes: Iterable[Volume]) -> str:
    """How many volumes are said to be unlike the cohort."""
    told = []
    for volume in volumes:
        readings = detector.domain.read(portray(volume, detector.frame.enter(volume)))
        told.append(bool(strange_themes(readings)))
    return f"{sum(told):3d} of {len(told)}"


def t2_like(index: int) -> Volume:
    """A phantom in another contrast than the model's."""
    both = make_phantom(PhantomSettings(contrasts=("T1w", "T2w")), 0, index, False).volume
    return replace(both, voxels=both.voxels[1:])


@click.command()
@click.argument("ixi", type=click.Path(path_type=Path, exists=True))
def main(ixi: Path) -> None:
    """Print one line a figure."""
    torch.set_num_threads(2)
    began = time.perf_counter()
    model = checkpoint.read(embedded.place())
    click.echo(f"load      {time.perf_counter() - began:.2f} s after imports")
    click.echo(f"file      {embedded.FILE.stat().st_size / 1e6:.1f} MB, {model.origin.licence}")
    roles = read_roles(embedded.FILE.with_name("split.tsv"))
    cohort = find_cohort([ixi])
    tested = [i for i, case in enumerate(cohort.cases) if roles[case.subject] == "test"]
    volumes = [cohort[index] for index in tested]
    settings = model.detector.extractor.backbone.settings
    maps = []
    for precision in ("float32", "bfloat16"):
        model.detector.extractor.backbone.settings = replace(settings, precision=precision)
        click.echo(f"{precision:<9} {seconds(model.detector, volumes[:TIMED]):.2f} s a volume")
        maps.append(torch.cat([model.detector.score(one).scores[one.brain] for one in volumes]))
    click.echo(f"both      maps correlate at {np.corrcoef(*maps)[0, 1]:.5f}")
    click.echo(f"peak      {peak():.2f} GB")
    click.echo("\nsaid to be unlike the cohort")
    click.echo(f"{'healthy, held out':28}{flagged(model.detector, volumes)}")
    turned = map(inverted, volumes)
    click.echo(f"{'contrast inverted':28}{flagged(model.detector, turned)}")
    phantoms = map(t2_like, range(PHANTOMS))
    click.echo(f"{'T2-like phantoms':28}{flagged(model.detector, phantoms)}")
    for name, change in CHANGES.items():
        click.echo(f"{name:28}{flagged(model.detector, _changed(volumes, change))}")


def _changed(volumes: Sequence[Volume], change: Callable[..., Volume]) -> Iterable[Volume]:
    return (change(volume, np.random.default_rng(i)) for i, volume in enumerate(volumes))


if __name__ == "__main__":
    main()
