"""Score many small volumes in one process: whether memory and open files stay flat.

One in ten cannot be scored, which shows once its voxels were read. One run of `slicenet score` over
all of them, watched from a thread beside it. The slope of memory is by least squares, after a
warm-up of a tenth of the volumes.

    python benchmarks/soak.py [--volumes 2000]
"""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from slicenet.cohort import find_cohort
from slicenet.commands import main as slicenet
from slicenet.commands.door import SOME_FAILED
from slicenet.images.write import write_map
from slicenet.phantom import PhantomSettings, write_phantoms

SPACING = 6.0  # mm
EVERY = 0.25  # seconds between looks
PAGE = os.sysconf("SC_PAGE_SIZE")
FLAT = 4.0  # KB a volume: the names and results that the run reports at its end take less
BAD = 10  # every which volume has a head around its brain, and fails


@dataclass(frozen=True)
class Look:
    """The process at one moment."""

    done: int  # volumes, failed ones among them
    memory: int  # bytes, resident
    handles: int  # files, pipes and sockets that are open


@click.command()
@click.option("--volumes", default=2000, show_default=True, help="How many.")
def main(volumes: int) -> None:
    """Print what the process held along the way, and fail if it grew."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        looks = soak(Path(folder), volumes)
    after = [look for look in looks if look.done >= volumes // 10]
    done, held = (np.array([getattr(look, name) for look in after], float) for name in
                  ("done", "memory"))  # fmt: skip
    slope = float(np.polyfit(done, held / 1024, 1)[0])
    for share in (0, 0.1, 0.25, 0.5, 0.75, 1):
        look = next(look for look in looks if look.done >= share * looks[-1].done)
        click.echo(f"{look.done:>6} done  {look.memory / 2**20:>7.1f} MiB  {look.handles} open")
    click.echo(f"memory: {slope:+.3f} KB a volume, from {len(after)} looks after the warm-up")
    handles = sorted({look.handles for look in after})
    click.echo(f"open files: {handles[0]} to {handles[-1]}")
    click.echo(f"{looks[-1].done} volumes in {time.monotonic() - began:.0f} s")
    few = looks[-1].done < volumes
    leaks = after[-1].handles > after[0].handles + 2
    raise SystemExit(few or slope > FLAT or leaks)


def soak(folder: Path, volumes: int) -> list[Look]:
    """Make volumes and a model, then score and watch."""
    os.environ["SLICENET_CACHE"] = str(folder / "cache")
    write_phantoms(folder / "learnt", 6, 0, 0, PhantomSettings(spacing=SPACING))
    _run("train", folder / "learnt", "--backend", "zscore", "--set",
         f"frame.spacing=[{SPACING},{SPACING},{SPACING}]", "--out", folder / "run")  # fmt: skip
    volume = find_cohort([folder / "learnt"])[0]
    for index in range(volumes):
        draw = np.random.default_rng(index)
        noise = draw.normal(1, 0.02, volume.brain.shape)
        image = volume.voxels[0].numpy() * volume.brain.numpy()
        if index % BAD == 0:
            image = image + image.max() / 2  # nothing is 0
        path = folder / "scans" / f"scan{index:05d}.nii.gz"
        write_map(path, (image * noise).astype(np.float32), volume.grid)
    looks: list[Look] = []
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(folder / "maps", looks, over))
    watching.start()
    try:
        ended = _run("score", folder / "run", folder / "scans", "--out", folder / "maps")
    finally:
        over.set()
        watching.join()
    failed = (folder / "maps" / "status.jsonl").read_text().count("E_SKULL")
    assert (ended, failed) == (SOME_FAILED, len(range(0, volumes, BAD)))
    return looks


def _run(*words: object) -> object:
    """What the command ended with."""
    try:
        return slicenet.main([*map(str, words)], standalone_mode=False)
    except SystemExit as end:
        return end.code


def _watch(maps: Path, looks: list[Look], over: threading.Event) -> None:
    log = maps / "status.jsonl"
    while not over.wait(EVERY):
        if log.exists():
            looks.append(_look(log))
    looks.append(_look(log))


def _look(log: Path) -> Look:
    done = log.read_bytes().count(b"\n")
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Look(done, pages * PAGE, len(os.listdir("/proc/self/fd")))


if __name__ == "__main__":
    main()
