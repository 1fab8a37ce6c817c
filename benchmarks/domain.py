"""How often a model says that a scan is unlike its cohort, where it should and where it should not.

Splits of healthy scans, 60 to fit, 20 held out and 20 to test, as `slicenet train --backend zscore`
would see them: what is said does not depend on the backend. Nothing here chooses a limit.

    python benchmarks/domain.py
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from slicenet.cohort import find_cohort
from slicenet.domain import Domain, Portrait, portray, strange_themes
from slicenet.frame import Frame, FrameSettings
from slicenet.images.brain import foreground
from slicenet.images.image import read_image
from slicenet.phantom import PhantomSettings, add_lesions, make_phantom
from slicenet.resampling import smooth_inside
from slicenet.volume import Volume

SHARED = Path(os.environ.get("SLICENET_SHARED", Path(__file__).parents[2] / "shared"))
FITTED, HELD = 60, 20
PHANTOMS = 100
FRAME = Frame(FrameSettings(spacing=(2.0, 2.0, 2.0)))
Portraits = Mapping[str, list[Portrait]]  # by kind, one a subject


def inverted(volume: Volume) -> Volume:
    """Bright and dark turned round."""
    return _with(volume, volume.voxels[:, volume.brain].max() - volume.voxels)


def blurred(volume: Volume, width: float) -> Volume:
    """Smoothed by a Gaussian of `width` mm at half height."""
    x, y, z = (width / 2.3548 / volume.spacing).tolist()
    return _with(volume, smooth_inside(volume.voxels, volume.brain, (x, y, z)))


def noisy(volume: Volume, share: float, draw: int) -> Volume:
    """Gaussian noise of a share of the median."""
    generator = torch.Generator().manual_seed(draw)
    level = share * float(volume.voxels[:, volume.brain].median())
    noise = torch.randn(volume.voxels.shape, generator=generator) * level
    return _with(volume, volume.voxels + noise)


def cut(volume: Volume, axis: int, lost: float) -> Volume:
    """A file that ends `lost` mm inside the brain, at the upper end of the axis."""
    others = [other for other in range(3) if other != axis]
    last = int(volume.brain.sum(others).nonzero().max())
    size = last + 1 - round(lost / float(volume.spacing[axis]))
    kept = volume.voxels.narrow(axis + 1, 0, size), volume.brain.narrow(axis, 0, size)
    return replace(volume, voxels=kept[0].contiguous(), brain=kept[1].contiguous(), source="")


def thick(volume: Volume, factor: int) -> Volume:
    """Slices `factor` times as thick."""
    size = volume.brain.shape[2] // factor * factor
    both = torch.cat((volume.voxels * volume.brain, volume.brain[None].float()))[..., :size]
    means = both.unflatten(3, (-1, factor)).mean(4)
    affine = volume.affine @ np.diag([1, 1, factor, 1.0])
    affine[:3, 3] += volume.affine[:3, 2] * (factor - 1) / 2
    brain = means[-1] >= 0.5
    voxels = means[:-1] / means[-1].clamp(min=0.5) * brain
    return replace(volume, voxels=voxels, brain=brain, affine=affine, source="")


def with_skull(volume: Volume, bone: float) -> Volume:
    """A mask that takes in dark bone of `bone` mm and bright scalp of 6 mm, as fat is in T1."""
    apart = ndimage.distance_transform_edt(~volume.brain.numpy(), sampling=volume.spacing)
    level = float(volume.voxels[:, volume.brain].median())
    around = np.where(apart <= bone, 0.15 * level, 1.5 * level).astype(np.float32)
    voxels = torch.where(volume.brain, volume.voxels, torch.from_numpy(around))
    head = torch.from_numpy(apart <= bone + 6)
    return replace(volume, voxels=voxels * head, brain=head, source="")


def _with(volume: Volume, voxels: Tensor) -> Volume:
    return replace(volume, voxels=voxels * volume.brain, source="")


def portrait(volume: Volume) -> Portrait:
    """What a detector keeps of a volume before it scores it."""
    return portray(volume, FRAME.enter(volume))


def ixi(scans: Sequence[Volume], masks: Sequence[Path]) -> dict[str, list[Portrait]]:
    """Portraits of every kind of the same scans."""
    plain = PhantomSettings()
    kinds: dict[str, Callable[[int, Volume], Volume]] = {
        "healthy": lambda _, volume: volume,
        "contrast inverted": lambda _, volume: inverted(volume),
        "upper 30 mm cut off": lambda _, volume: cut(volume, 2, 30),
        "front 30 mm cut off": lambda _, volume: cut(volume, 1, 30),
        "slices of 6 mm": lambda _, volume: thick(volume, 3),
        "blurred, 4 mm": lambda _, volume: blurred(volume, 4),
        "noise of 10 %": lambda index, volume: noisy(volume, 0.1, index),
        "skull and scalp left in": lambda _, volume: with_skull(volume, 6),
        "scalp of 6 mm left in": lambda _, volume: with_skull(volume, 0),
        "lesions": lambda i, volume: add_lesions(volume, plain, 0, i).volume,
        "lesions, glaring": lambda i, volume: (
            add_lesions(volume, replace(plain, strength=2.0), 0, i).volume
        ),
    }
    if masks:
        kinds["lesions, real shapes"] = lambda i, volume: (
            add_lesions(volume, plain, 0, i, masks).volume
        )
    return {name: _portraits(name, scans, change) for name, change in kinds.items()}


def phantoms(masks: Sequence[Path]) -> dict[str, list[Portrait]]:
    """Portraits of phantoms in three contrasts, and of other ones with lesions."""
    every = PhantomSettings(contrasts=("T1w", "T2w", "FLAIR"))
    found: dict[str, list[Portrait]] = {}
    for index in range(PHANTOMS):
        volume = make_phantom(every, 0, index, False).volume
        one, two, flair = (replace(volume, voxels=part[None]) for part in volume.voxels)
        hurt = make_phantom(PhantomSettings(), 0, index, True, masks).volume
        for name, made in (
            ("healthy", one), ("T2-like", two), ("FLAIR-like", flair),
            ("contrast inverted", inverted(one)), ("lesions", hurt),
        ):  # fmt: skip
            found.setdefault(name, []).append(portrait(made))
    return found


def _portraits(
    name: str, scans: Sequence[Volume], change: Callable[[int, Volume], Volume]
) -> list[Portrait]:
    click.echo(f"  {name}", err=True)
    return [portrait(change(index, scan)) for index, scan in enumerate(scans)]


def splits(count: int, seeds: int, fitted: int, held: int) -> Iterator[list[np.ndarray]]:
    """Indices to fit, to hold out and to test."""
    for seed in range(seeds):
        yield np.split(np.random.default_rng(seed).permutation(count), [fitted, fitted + held])


def report(
    title: str, known: Portraits, seeds: int, parts: tuple[int, int],
    strangers: Portraits | None = None,
) -> None:  # fmt: skip
    """Print the rate of each kind over all splits, and what it was said to be unlike in."""
    count = len(known["healthy"])
    told: dict[str, list[tuple[str, ...]]] = {}
    for fitted, held, tested in splits(count, seeds, *parts):
        domain = Domain()
        domain.fit([known["healthy"][index] for index in fitted])
        domain.hold([known["healthy"][index] for index in held])
        say = partial(_themes, domain)
        for name, portraits in known.items():
            told.setdefault(name, []).extend(say(portraits[index]) for index in tested)
        for name, portraits in (strangers or {}).items():
            told.setdefault(name, []).extend(map(say, portraits))
    used = f"{parts[0]} fitted, {parts[1]} held out, {seeds} splits"
    click.echo(f"\n{title} ({used})\n{'input':34}{'flagged':>14}{'rate':>8}  in")
    for name, themes in told.items():
        flagged = [one for one in themes if one]
        said = sorted({theme for one in flagged for theme in one})
        shares = ", ".join(f"{theme} {_rate(themes, theme):.0%}" for theme in said)
        rate = len(flagged) / len(themes)
        click.echo(f"{name:34}{len(flagged):6} of {len(themes):<5}{rate:8.1%}  {shares}")


def _themes(domain: Domain, one: Portrait) -> tuple[str, ...]:
    return strange_themes(domain.read(one))


def _rate(told: Sequence[tuple[str, ...]], theme: str) -> float:
    return sum(theme in one for one in told) / len(told)


def heads() -> list[Portrait]:
    """Raw scans whose mask was taken to be the whole head."""
    found = []
    for path in sorted((SHARED / "data/ixi-native").glob("sub-*/anat/*_T1w.nii.gz")):
        image = read_image(path)
        head = foreground(np.where(image.voxels > 0.1 * image.voxels.mean(), image.voxels, 0), "")
        voxels, brain = (
            torch.from_numpy(np.ascontiguousarray(image.grid.to_ras(part)))
            for part in (image.voxels.astype(np.float32), head)
        )
        found.append(portrait(Volume(voxels[None], brain, image.grid.ras_affine, path.name)))
    return found


@click.command()
@click.option("--seeds", type=int, default=50, show_default=True, help="Splits.")
@click.option("--prepared", type=click.Path(exists=True, path_type=Path),
              help="What `slicenet prepare` made of shared/data/ixi-native.")  # fmt: skip
def main(seeds: int, prepared: Path | None) -> None:
    """Print a table of rates for IXI, where it is there, and one for phantoms."""
    masks = sorted((SHARED / "data/soop-masks").rglob("*.nii.gz"))
    made = phantoms(masks)
    folder = SHARED / "data/ixi-hh"
    if folder.is_dir():
        cohort = find_cohort([folder])
        raw = {path.name for path in (SHARED / "data/ixi-native").glob("sub-*")}
        # The subjects of the raw scans are never fitted, so that they can be tested.
        scans = [
            cohort[i] for i, case in enumerate(cohort.cases) if case.folder.parts[0] not in raw
        ]
        known = ixi(scans, masks)
        strangers = {"phantoms, T2-like": made["T2-like"], "raw heads as brains": heads()}
        if prepared:
            ours = [portrait(volume) for volume in find_cohort([prepared])]
            strangers["raw scans, prepared by slicenet"] = ours
        report(f"IXI, {len(scans)} scans", known, seeds, (FITTED, HELD), strangers)
        report("IXI, small cohorts", known, seeds, (16, 4))
    else:
        click.echo(f"{folder}: not there, phantoms only (set SLICENET_SHARED)")
    report(f"{PHANTOMS} phantoms", made, seeds, (FITTED, HELD))


if __name__ == "__main__":
    main()
