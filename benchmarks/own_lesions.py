"""A cohort to choose settings on: healthy scans, some with lesions of `slicenet.simulation`.

These are the lesions that fine-tuning learns from, in subjects that it has not seen. They never
test: what they decide is then looked at once on lesions that nothing here has drawn.

    slicenet phantom healthy --healthy 44 --lesioned 0 --seed 90
    python benchmarks/own_lesions.py healthy own --lesioned 14
    slicenet compare own --backends quick --seeds 0 --out as-it-is
    slicenet compare own --backends quick --seeds 0 --set map.drift.kind=bulk --out by-bulk
"""

import shutil
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor

from slicenet.cohort import find_cohort
from slicenet.draws import drawing
from slicenet.images.write import write_map, write_mask
from slicenet.simulation import JitterSettings, SimulationSettings, simulate
from slicenet.volume import Volume

CLEAR = SimulationSettings(
    least=1, most=3, smallest=5.0, largest=20.0, strengths=(1.2, 3.0), visible=0.6,
    looks=("shifted", "grained"), jitter=JitterSettings(0, 0, 0, 0, 0, 0),
)  # fmt: skip
LEAST = 200.0  # mm^3 that are lesion in a subject, or it is drawn again


@click.command()
@click.argument("healthy", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--lesioned", default=14, show_default=True, help="Subjects with lesions.")
@click.option("--largest", default=CLEAR.largest, show_default=True, help="Radius, mm.")
@click.option("--seed", default=0, show_default=True)
def main(healthy: Path, out: Path, lesioned: int, largest: float, seed: int) -> None:
    """Write the subjects of HEALTHY to OUT, some of them with lesions and their truth."""
    cohort = find_cohort([healthy]).healthy()
    order = np.random.default_rng(seed).permutation(len(cohort))
    ill = set(order[:lesioned].tolist())
    rows = ["participant_id\tgroup"]
    for index, case in enumerate(cohort.cases):
        name = f"sub-{index + 1:04d}"
        stem = out / name / "anat"
        volume = cohort[index]
        voxels = volume.voxels
        if index in ill:
            voxels, truth = with_lesions(volume, seed * 100_003 + index, largest)
            write_mask(stem / f"{name}_label-lesion_mask.nii.gz", truth.numpy(), volume.grid)
        for number, image in enumerate(case.images):
            ending = image.name.rsplit("_", 1)[-1]
            write_map(stem / f"{name}_{ending}", voxels[number].numpy(), volume.grid)
        brain = stem / f"{name}_desc-brain_mask.nii.gz"
        write_mask(brain, volume.brain.numpy(), volume.grid)
        rows.append(f"{name}\t{'lesioned' if index in ill else 'healthy'}")
        click.echo(rows[-1])
    (out / "participants.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    if (healthy / "dataset_description.json").exists():
        shutil.copy(healthy / "dataset_description.json", out)


def with_lesions(volume: Volume, seed: int, largest: float) -> tuple[Tensor, Tensor]:
    """Voxels [M, X, Y, Z] with lesions, and where they are, [X, Y, Z] bool."""
    inside = volume.voxels[:, volume.brain]  # [M, N]
    low, middle, high = torch.from_numpy(np.quantile(inside, (0.25, 0.5, 0.75), axis=1)).float()
    span = (high - low).clamp(min=1e-6)[:, None, None, None]
    scaled = (volume.voxels - middle[:, None, None, None]) / span * volume.brain
    size = float(np.prod(volume.spacing))
    settings = replace(CLEAR, largest=largest)
    for attempt in range(50):
        altered, truth = simulate(
            scaled[None],
            volume.brain[None],
            volume.spacing.tolist(),
            settings,
            drawing(seed, attempt),
        )
        lesion = truth[0] > 0.5
        if float(lesion.sum()) * size >= LEAST:
            break
    changed = altered[0] * span + middle[:, None, None, None]
    return (changed * volume.brain).clamp(min=0), lesion


if __name__ == "__main__":
    main()
