"""From a raw scan to a map on its own grid: each command, its time, and a picture.

All by the embedded model. The scan is healthy, so it is shown again with a lesion of a real shape
painted into its brain. Only what is inside the brain mask is drawn.

    python benchmarks/own_scan.py RAW.nii.gz --shapes MASKS --work FOLDER --picture own_scan.png
"""

import subprocess
import sys
import time
from pathlib import Path

import click
import nibabel as nib
import numpy as np

from slicenet import files
from slicenet.drawing import Row, montage

CLI = Path(__file__).parents[1] / "cli.py"
MAP = "_desc-anomaly_heatmap.nii.gz"
BRAIN = "_desc-brain_mask.nii.gz"


def run(*words: object) -> None:
    """One command as a user would type it, and how long it took."""
    click.echo(f"$ slicenet {' '.join(map(str, words))}")
    began = time.monotonic()
    subprocess.run([sys.executable, CLI, *map(str, words)], check=True)
    click.echo(f"# {time.monotonic() - began:.0f} s\n")


def load(path: Path) -> tuple[np.ndarray, tuple[float, ...]]:
    """Voxels in RAS order, and their edges in mm."""
    image = nib.as_closest_canonical(nib.load(path))
    return image.get_fdata(dtype=np.float32), image.header.get_zooms()[:3]


def row(title: str, image: Path, heatmap: Path, truth: Path | None = None) -> Row:
    """One line of the picture."""
    brain = load(heatmap.with_name(heatmap.name.replace(MAP, BRAIN)))[0] > 0
    voxels, spacing = load(image)
    scores, _ = load(heatmap)
    sidecar = next(heatmap.parent.glob("*_desc-anomaly_heatmap.json"))
    value = files.read_json(sidecar)["threshold"]["value"]
    lesion = None if truth is None else load(truth)[0] > 0
    maps = {"t1-ixi": (np.where(brain, scores, 0), value)}
    return Row(title, np.where(brain, voxels, 0), brain, lesion, spacing, maps)


@click.command()
@click.argument("raw", type=click.Path(path_type=Path, exists=True))
@click.option("--shapes", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--picture", type=click.Path(path_type=Path), required=True)
@click.option("--seed", default=0, show_default=True, help="Of the lesion.")
def main(raw: Path, shapes: Path, work: Path, picture: Path, seed: int) -> None:
    """Run the whole way on RAW and draw what came out."""
    prepared, ill = work / "prepared", work / "lesioned"
    run("prepare", raw, prepared, "--spacing", 2)
    run("score", prepared, "--native", "--out", work / "maps")
    run("phantom", ill, "--base", prepared, "--shapes", shapes, "--healthy", 0, "--lesioned", 1,
        "--seed", seed)  # fmt: skip
    run("score", ill, "--out", work / "maps-lesioned")
    native = next((work / "maps").rglob(f"*_space-orig{MAP}"))
    plain = next(path for path in (work / "maps").rglob(f"*{MAP}") if path != native)
    other = next((work / "maps-lesioned").rglob(f"*{MAP}"))
    rows = [
        row("prepared", next(prepared.rglob("*_desc-brain_T1w.nii.gz")), plain),
        row("the raw scan", raw, native),
        row("with a lesion", next(ill.rglob("*_T1w.nii.gz")), other,
            next(ill.rglob("*_label-lesion_mask.nii.gz"))),
    ]  # fmt: skip
    files.write_bytes(picture, montage(rows))


if __name__ == "__main__":
    main()
