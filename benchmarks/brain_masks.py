"""How surely brains are found and heads refused, over the shared data where it is there.

Heads with everything in reach done to them that real files have met must be refused; brains, cut,
shrunk, holed and in other contrasts, must be accepted and found as their masks say.

    python benchmarks/brain_masks.py
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import nibabel as nib
import numpy as np
from nilearn.datasets import load_mni152_template
from scipy import ndimage

from slicenet.errors import VolumeError
from slicenet.images.brain import find_brain, foreground
from slicenet.images.grid import Grid
from slicenet.images.image import Image, read_image, read_mask
from slicenet.images.skull import shelled

SHARED = Path(os.environ.get("SLICENET_SHARED", Path(__file__).parents[2] / "shared"))


class Trial(NamedTuple):
    """One image, and what ought to become of it."""

    label: str
    head: bool  # to be refused
    voxels: np.ndarray
    spacing: np.ndarray
    brain: np.ndarray | None = None  # what ought to be found, where that is known


class Outcome(NamedTuple):
    """What became of it."""

    refused: bool
    litres: float
    shelled: float
    dice: float


def main() -> None:
    """Print a line for each kind of image."""
    natives = sorted((SHARED / "data/ixi-native").glob("sub-*/anat/*_T1w.nii.gz"))
    stripped = sorted((SHARED / "data/ixi-hh").glob("sub-*/anat/*_T1w.nii.gz"))
    if not natives and not stripped:
        click.echo(f"{SHARED / 'data'}: no data there, nothing to measure (set SLICENET_SHARED)")
        return
    click.echo(f"{'images':36}{'wanted':>9}{'refused':>10}  {'litres':>13}  {'shelled':>11}  Dice")
    _report(trial for path in natives for trial in _native(path))
    _report(_registered(path) for path in stripped)
    _report(_templates())


def _report(trials: Iterator[Trial]) -> None:
    outcomes: dict[tuple[bool, str], list[Outcome]] = defaultdict(list)
    for trial in trials:
        outcomes[not trial.head, trial.label].append(_try(trial))
    for (brain, label), group in sorted(outcomes.items()):
        refused = sum(outcome.refused for outcome in group)
        litres, shares, dices = (
            np.array([outcome[column] for outcome in group]) for column in (1, 2, 3)
        )
        dice = f">= {dices.min():.4f}" if brain and np.isfinite(dices).all() else ""
        click.echo(
            f"{label:36}{'accepted' if brain else 'refused':>9}{refused:6}/{len(group):<3}  "
            f"{litres.min():5.2f} to {litres.max():4.2f}  {shares.min():.2f} to {shares.max():.2f}"
            f"  {dice}"
        )


def _try(trial: Trial) -> Outcome:
    grid = Grid(trial.voxels.shape, np.diag([*trial.spacing, 1.0]))
    image = Image(np.ascontiguousarray(trial.voxels, np.float32), grid, "scanner", (), "")
    try:
        inside = foreground(image.voxels, trial.label)
    except VolumeError:
        return Outcome(True, np.nan, np.nan, np.nan)
    litres = inside.sum() * trial.spacing.prod() / 1e6
    try:
        find_brain(image, trial.label)
        refused = False
    except VolumeError:
        refused = True
    dice = np.nan
    if trial.brain is not None:
        dice = 2 * (inside & trial.brain).sum() / (inside.sum() + trial.brain.sum())
    return Outcome(refused, litres, shelled(image.voxels, inside, trial.spacing), dice)


def _native(path: Path) -> Iterator[Trial]:
    image = read_image(path)
    labels = path.with_name(path.name.replace("_T1w", "_desc-dlmuse_dseg"))
    mask, _ = read_mask(labels, image.grid)
    head, mask = image.grid.to_ras(image.voxels), image.grid.to_ras(mask)
    spacing = np.linalg.norm(image.grid.ras_affine[:3, :3], axis=0)
    tissue = np.median(head[mask])
    yield Trial("head as it came", True, head, spacing)
    yield Trial("head, noise of 3 %", True, _noisy(head, 0.03 * tissue), spacing)
    for share in (0.05, 0.1, 0.25):
        cleaned = np.where(head > share * tissue, head, 0)
        yield Trial(f"head, background 0 below {share:.0%}", True, cleaned, spacing)
    cleaned = np.where(head > 0.1 * tissue, head, 0)
    for name, voxels in _contrasts(cleaned, mask):
        yield from _heads(f"head, {name}", voxels, mask, spacing)
    for name, voxels in _contrasts(head, mask):
        yield from _brains(f"brain, {name}", (voxels + 1) * mask, mask, spacing)
    loose = ndimage.binary_dilation(mask, iterations=2)
    yield Trial("brain with 4 mm around it", False, (head + 1) * loose, spacing, loose)


def _heads(name: str, head: np.ndarray, mask: np.ndarray, spacing: np.ndarray) -> Iterator[Trial]:
    top = int(np.flatnonzero(mask.any((0, 1))).max())
    above = head[:, :, max(0, top - round(130 / spacing[2])) :]
    yield Trial(f"{name}, whole", True, head, spacing)
    yield Trial(f"{name}, upper 13 cm", True, above, spacing)
    yield Trial(f"{name}, of an infant", True, above, spacing * 0.7)
    yield Trial(f"{name}, 30 degrees oblique", True, _oblique(above), spacing)
    yield from _resampled(name, True, above, spacing)
    yield from _turned(name, True, above, spacing)
    yield from _slices(name, True, head, mask, spacing)


def _brains(name: str, brain: np.ndarray, mask: np.ndarray, spacing: np.ndarray) -> Iterator[Trial]:
    yield Trial(f"{name}, whole", False, brain, spacing, mask)
    size = (0.7 / (mask.sum() * spacing.prod() / 1e6)) ** (1 / 3)
    yield Trial(f"{name}, of 700 ml", False, brain, spacing * size, mask)
    half = np.arange(brain.shape[0])[:, None, None] < brain.shape[0] // 2
    yield Trial(f"{name}, one hemisphere", False, brain * half, spacing, mask & half)
    box = ndimage.find_objects(mask.astype(np.int8))[0]
    yield Trial(f"{name}, tight box", False, brain[box], spacing, mask[box])
    middle = [round(place) for place in ndimage.center_of_mass(mask)]
    holed = brain.copy()
    holed[tuple(slice(place - 8, place + 8) for place in middle)] = 0
    yield Trial(f"{name}, lesion of zeros", False, holed, spacing, mask)
    deviation = brain[mask].std()
    scores = np.where(mask, (brain - brain[mask].mean()) / deviation, 0)
    yield Trial(f"{name}, z-scores", False, scores, spacing, mask)
    yield from _resampled(name, False, brain, spacing)
    yield from _turned(name, False, brain, spacing)
    yield from _slices(name, False, brain, mask, spacing)


def _contrasts(head: np.ndarray, mask: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """T1, and what maps of its intensities inside the skull make like T2 and FLAIR."""
    white = np.percentile(head[mask], 70)
    inverse = white * (1.5 - np.clip(head / white, 0, 1.3))
    suppressed = white * np.interp(
        head / white, [0, 0.3, 0.5, 0.7, 1.1], [0.05, 0.1, 0.5, 1.1, 0.7]
    )
    yield "T1", head
    yield "T2-like", np.where(mask, inverse, head)
    yield "FLAIR-like", np.where(mask, suppressed, head)


def _resampled(name: str, head: bool, voxels: np.ndarray, spacing: np.ndarray) -> Iterator[Trial]:
    for label, wanted in (
        ("1 mm", (1, 1, 1)),
        ("3 mm", (3, 3, 3)),
        ("0.7x0.7x6 mm", (0.7, 0.7, 6)),
    ):
        wider = np.maximum(np.array(wanted) / spacing - 1, 0)
        blurred = ndimage.gaussian_filter(voxels, 0.4 * wider)
        new = ndimage.zoom(blurred, spacing / wanted, order=1, grid_mode=True, mode="nearest")
        yield Trial(f"{name}, {label}", head, new, spacing * voxels.shape / new.shape)


def _turned(name: str, head: bool, voxels: np.ndarray, spacing: np.ndarray) -> Iterator[Trial]:
    for codes in ("LPI", "PSR", "IRA", "SLA"):
        turn = nib.orientations.axcodes2ornt(codes)
        back = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn)
        order = np.argsort(back[:, 0]).astype(int)
        turned = nib.orientations.apply_orientation(voxels, back)
        yield Trial(f"{name}, axes turned", head, turned, spacing[order])


def _slices(
    name: str, head: bool, voxels: np.ndarray, mask: np.ndarray, spacing: np.ndarray
) -> Iterator[Trial]:
    for axis in range(3):
        taken = mask.any(tuple(other for other in range(3) if other != axis))
        for share in (0.3, 0.5, 0.7):
            place = int(np.quantile(np.flatnonzero(taken), share))
            window = (*(slice(None),) * axis, slice(place, place + 1))
            brain = None if head else mask[window]
            yield Trial(f"{name}, one slice", head, voxels[window], spacing, brain)


def _oblique(voxels: np.ndarray) -> np.ndarray:
    once = ndimage.rotate(voxels, 30, (0, 1), order=1)
    twice = ndimage.rotate(once, 20, (1, 2), order=1)
    return np.where(twice > 0.05 * voxels.max(), twice, 0)


def _noisy(head: np.ndarray, deviation: float) -> np.ndarray:
    real, imaginary = np.random.default_rng(0).normal(0, deviation, (2, *head.shape))
    return np.hypot(head + real, imaginary)


def _registered(path: Path) -> Trial:
    image = read_image(path)
    beside = path.with_name(path.name.replace("desc-brain_T1w", "desc-brain_mask"))
    mask, _ = read_mask(beside, image.grid)
    return Trial("ixi-hh, without their masks", False, image.voxels, image.grid.spacing, mask)


def _templates() -> Iterator[Trial]:
    for resolution in (1, 2, 3):
        template = load_mni152_template(resolution=resolution)
        spacing = np.array(template.header.get_zooms()[:3], np.float64)
        yield Trial("nilearn's MNI152 template", False, template.get_fdata(), spacing)


if __name__ == "__main__":
    main()
