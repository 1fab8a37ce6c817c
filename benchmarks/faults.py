"""Train, score and cache on a disk whose N-th operation fails, for every N until none is left.

After each: no half of a file under a final name, a message that names file and cause, and a rerun
that gives the bytes of an undisturbed run.

    python benchmarks/faults.py [--step 7] [--kind "full for good"]
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from slicenet.phantom import PhantomSettings, write_phantoms
from tests.faulty import KINDS, Deed, clean_run, wrongs

SETTINGS = {
    "zscore": ("frame.spacing=[4,4,4]",),
    "siamese-residual": (
        "frame.spacing=[4,4,4]", "siamese.cell=8", "siamese.learn.steps=4",
        "siamese.learn.batch=16", "siamese.coder.kernels=[3,3,3]",
        "siamese.coder.strides=[1,2,1]", "siamese.coder.widths=[4,8,8]",
    ),
}  # fmt: skip


@click.command()
@click.option("--step", default=1, show_default=True, help="Every which operation fails.")
@click.option("--kind", "kinds", multiple=True, default=tuple(KINDS), type=click.Choice(KINDS))
def main(step: int, kinds: tuple[str, ...]) -> None:
    """Print how many faults each command has met, and fail if anything was lost in one."""
    with TemporaryDirectory() as folder:
        lost = _all(Path(folder), step, kinds)
    click.echo(f"{lost} wrong" if lost else "nothing lost")
    raise SystemExit(bool(lost))


def _all(work: Path, step: int, kinds: tuple[str, ...]) -> int:
    write_phantoms(work / "brains", 6, 1, 0, PhantomSettings(spacing=4.0))
    lost = 0
    for name, deed in deeds(work):
        clean, count = clean_run(deed)
        for kind in kinds:
            found = []
            for at in range(1, count + 1, step):
                found += wrongs(deed, at, kind, clean)
                if sys.stderr.isatty():
                    click.echo(f"\r{name}, {kind}: {at} of {count} ", nl=False, err=True)
            lost += len(found)
            faults = len(range(1, count + 1, step))
            click.echo(f"{name:<24} {kind:<16} {faults:>5} faults  {len(found):>3} wrong")
            click.echo("".join(f"  {one}\n" for one in found), nl=False)
    return lost


def deeds(work: Path) -> Iterator[tuple[str, Deed]]:
    """What is done on the disk; the caches begin empty each time, and a cache is all one keeps."""
    cache, brains = work / "cache", work / "brains"
    os.environ["SLICENET_CACHE"] = str(cache)
    for name, settings in SETTINGS.items():
        words = ["train", brains, "--backend", name]
        words += [word for setting in settings for word in ("--set", setting)]
        out = work / "run"
        yield f"train {name}", Deed((*words, "--out", out), out, (cache,))
    subject = "sub-0007"
    words = (work / "run", brains, "--participant-label", subject)
    yield (
        "score --report",
        Deed(("score", *words, "--report", "--out", work / "maps"), work / "maps"),
    )


if __name__ == "__main__":
    main()
