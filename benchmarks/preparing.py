"""How well `slicenet prepare` finds brains without a tool, over raw scans whose labels are known.

The labels measure, nothing is fitted to them. Skips, and says so, where the scans are not.

    python benchmarks/preparing.py
"""

import os
import time
from pathlib import Path

import click
import nibabel as nib
import numpy as np
import torch

from slicenet.mni import average
from slicenet.preparing.aligning import align
from slicenet.resampling import sample

SHARED = Path(os.environ.get("SLICENET_SHARED", Path(__file__).parents[2] / "shared"))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """The overlap of two masks."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def measure(folder: Path, halved: bool) -> tuple[float, float, float]:
    """Dice of the mask with the labels, that of the labels with the average brain, and seconds.

    With `halved` voxels there are eight times as many, as in a scan of 1 mm.
    """
    scan, labels = (nib.as_closest_canonical(nib.load(next(folder.rglob(name)))) for name in (
        "*_T1w.nii.gz", "*_desc-dlmuse_dseg.nii.gz",
    ))  # fmt: skip
    both = np.stack([scan.get_fdata(dtype=np.float32), np.asarray(labels.dataobj) > 0])
    affine, factor = scan.affine, 2 if halved else 1
    to_source = np.diag([1 / factor] * 3 + [1.0])
    x, y, z = (size * factor for size in scan.shape)
    values, brain = sample(torch.from_numpy(both.astype(np.float32)), to_source, (x, y, z)).numpy()
    affine = affine @ to_source
    began = time.perf_counter()
    found = align(values, affine, None)
    seconds = time.perf_counter() - began
    template = average()
    moved = sample(
        torch.from_numpy((brain > 0.5).astype(np.float32))[None],
        found.to_voxels @ template.affine, template.t1.shape,
    )[0].numpy()  # fmt: skip
    return dice(found.brain, brain > 0.5), dice(moved > 0.5, template.brain), seconds


@click.command()
@click.option("--halved", is_flag=True, help="Voxels of half the size, eight times as many.")
def main(halved: bool) -> None:
    """Print a line a scan, and what the worst and the mean are."""
    folders = sorted((SHARED / "data/ixi-native").glob("sub-*"))
    if not folders:
        click.echo("skipped: no raw scans with labels here")
        return
    torch.set_num_threads(1)
    average()  # read once, whoever is first
    rows = []
    click.echo("scan          mask, Dice  labels on the average brain, Dice  s")
    for folder in folders:
        rows.append(measure(folder, halved))
        mask, registered, seconds = rows[-1]
        click.echo(f"{folder.name:<12}  {mask:>10.3f}  {registered:>29.3f}  {seconds:.1f}")
    worst, mean = np.min(rows, 0), np.mean(rows, 0)
    click.echo(f"least         {worst[0]:>10.3f}  {worst[1]:>29.3f}")
    click.echo(f"mean          {mean[0]:>10.3f}  {mean[1]:>29.3f}  {mean[2]:.1f}")


if __name__ == "__main__":
    main()
