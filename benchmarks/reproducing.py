"""Whether the embedded model's training gives the same bits again, also after it was killed.

A shortened run: fewer subjects and steps, everything else as `make model` does it. Three times with
a cache of its own: twice undisturbed, once killed while it fine-tunes and begun again.

    python benchmarks/reproducing.py ../shared/data/ixi-hh --work FOLDER
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from slicenet import embedded
from slicenet.cohort.roles import read_roles

CLI = Path(__file__).parents[1] / "cli.py"
SETTINGS = ("slices.finetune.lesions.steps=1500", "flow.course.steps=40")
KEPT = {"fit": 8, "calibrate": 4}  # subjects


@click.command()
@click.argument("ixi", type=click.Path(path_type=Path, exists=True))
@click.option("--work", type=click.Path(path_type=Path), required=True)
def main(ixi: Path, work: Path) -> None:
    """Print what each run left, and fail if they differ."""
    work.mkdir(parents=True)
    split = work / "split.tsv"
    split.write_text(shortened(), "utf-8")
    found = {}
    for name in ("first", "second", "killed"):
        began = time.monotonic()
        if name == "killed":
            training = start(ixi, split, work / name)
            step = until_kept(training, work / name / "cache")
            os.killpg(training.pid, signal.SIGKILL)
            training.wait()
            click.echo(f"killed    after {time.monotonic() - began:.0f} s, having kept {step}")
        if start(ixi, split, work / name).wait():
            raise SystemExit(f"{name}: the training failed")
        model = work / name / "run/model.safetensors"
        found[name] = hashlib.sha256(model.read_bytes()).hexdigest()
        click.echo(f"{name:<9} {found[name]}  {time.monotonic() - began:.0f} s")
    if len(set(found.values())) > 1:
        raise SystemExit("they differ")
    click.echo("equal to the bit")


def shortened() -> str:
    """The split of the embedded model with fewer to learn from."""
    roles = read_roles(embedded.FILE.with_name("split.tsv"))
    left = dict(KEPT)
    rows = ["subject\trole"]
    for subject, role in roles.items():
        left[role] = left.get(role, 0) - 1
        rows.append(f"{subject}\t{role if left[role] >= 0 else 'test'}")
    return "\n".join(rows) + "\n"


def start(ixi: Path, split: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Begin the training, or go on with it."""
    words = [sys.executable, CLI, "train", ixi, "--backend", embedded.NAME, "--split", split,
             "--out", folder / "run"]  # fmt: skip
    for setting in SETTINGS:
        words += ["--set", setting]
    return subprocess.Popen(
        list(map(str, words)),
        env={**os.environ, "SLICENET_CACHE": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def until_kept(training: subprocess.Popen[bytes], cache: Path) -> str:
    """Wait until fine-tuning has left what it can go on from; its name."""
    while training.poll() is None:
        if kept := list(cache.rglob("*.partly.safetensors")):
            time.sleep(5)  # some steps more, which are lost
            return kept[0].name
        time.sleep(0.5)
    raise SystemExit("the training ended before it kept anything: more steps are needed")


if __name__ == "__main__":
    main()
