"""A brain in memory: co-registered sequences in RAS order, their mask, and their place."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from slicenet.errors import Notice, VolumeError
from slicenet.images.alignment import reordered_like, same_grid, table
from slicenet.images.brain import find_brain
from slicenet.images.geometry import PICTURE
from slicenet.images.grid import Grid
from slicenet.images.image import Image, read_image, read_mask
from slicenet.images.options import ReadOptions
from slicenet.images.picture_head import find_head
from slicenet.images.printable import naming, printable

MARGIN = 4  # voxels around a brain


@final
@dataclass(frozen=True, eq=False)
class Volume:
    """M co-registered sequences of one brain in RAS order, with their place in the world."""

    voxels: Tensor = field(repr=False)  # [M, X, Y, Z] float32
    brain: Tensor = field(repr=False)  # [X, Y, Z] bool
    affine: np.ndarray  # [4, 4] voxel to world, mm
    name: str
    in_template_space: bool = False  # world millimetres are MNI's
    stored: Grid | None = None  # the grid of the file; none if there was no file
    notices: tuple[Notice, ...] = ()
    source: str = field(default="", repr=False)  # digest of the files it came from
    flat: bool = False  # a picture: one slice, in millimetres that are a convention
    subject: str = ""  # who it is of, where several may be of one; of its own if empty

    def __post_init__(self) -> None:
        if self.voxels.ndim != 4:
            shape = list(self.voxels.shape)
            raise VolumeError(f"{self.name}: expected [M, X, Y, Z], got {shape}", "E_DIM")
        if self.brain.shape != self.voxels.shape[1:]:
            raise VolumeError(f"{self.name}: the brain mask lies on another grid", "E_MASK")
        if not self.brain.any():
            raise VolumeError(f"{self.name}: the brain mask is empty", "E_MASK")

    def check_depth(self, flat: bool) -> None:
        """Refuse a volume where a model is `flat` and takes pictures, and the reverse."""
        deep = self.brain.shape[2] > 1
        if deep if flat else self.flat:
            kinds = ("a volume", "pictures") if deep else ("a picture", "volumes")
            text = f"{self.name}: is {kinds[0]}, and the model looks at {kinds[1]}"
            hint = "volumes and pictures need models of their own"
            raise VolumeError(text, "E_FLAT", hint)

    def around_brain(self) -> tuple[tuple[slice, ...], np.ndarray]:
        """The window that holds the brain with a margin, and its offset as an affine, [4, 4]."""
        window, corner = [], np.eye(4)
        for axis in range(3):
            others = [other for other in range(3) if other != axis]
            filled = self.brain.any(others[1]).any(others[0]).nonzero()
            first = max(int(filled.min()) - MARGIN, 0)
            window.append(slice(first, int(filled.max()) + MARGIN + 1))
            corner[axis, 3] = first
        return tuple(window), corner

    @property
    def grid(self) -> Grid:
        """The grid that maps of this volume are written on."""
        shape = tuple(self.brain.shape)
        return self.stored or Grid((shape[0], shape[1], shape[2]), self.affine)

    @property
    def spacing(self) -> np.ndarray:
        """Edge lengths of a voxel in RAS order, [3] mm."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what was read: the files' bytes, or the tensors if there were no files."""
        if self.source:
            return self.source
        parts = (self.voxels.numpy(), self.brain.numpy(), np.asarray(self.affine, np.float64))
        place = f"{tuple(self.voxels.shape)} {self.in_template_space}"
        whole = hashlib.sha256(place.encode())
        for part in parts:
            whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()


def read_volume(
    images: Sequence[Path],
    name: str,
    mask: Path | None = None,
    options: ReadOptions = ReadOptions(),
    in_template_space: bool = False,
    whole: bool = False,
) -> Volume:
    """Read co-registered sequences of one brain, with their mask or the one that the first shows.

    Of a picture the head in it stands for the brain, or all of it where `whole` is asked for.

    The first sequence alone shows it: what stripped it stripped the others alike, and what each
    of them left behind would add up.
    """
    first = read_image(images[0], options)
    brain, noticed = (
        _read_brain(mask, first.grid, options) if mask else (_shown(first, images[0], whole), ())
    )
    read = [first, *(_read_like(path, images[0], first.grid, options) for path in images[1:])]
    for path, image in zip(images, read, strict=True):
        _check_contrast(image.voxels[brain], path)
    place = in_template_space or first.space == "mni"
    return Volume(
        voxels=torch.from_numpy(_stack([first.grid.to_ras(image.voxels) for image in read])),
        brain=torch.from_numpy(np.array(first.grid.to_ras(brain), order="C")),
        affine=first.grid.ras_affine,
        name=name,
        in_template_space=place,
        stored=first.grid,
        notices=(*(notice for image in read for notice in image.notices), *noticed),
        source=_source([image.digest for image in read], brain, options, place),
        flat=first.space == PICTURE,
    )


def from_array(voxels: np.ndarray, affine: np.ndarray, name: str = "array") -> Volume:
    """Take a skull-stripped RAS array [X, Y, Z]; voxels that are not 0 are brain."""
    values = torch.from_numpy(np.array(voxels, np.float32, order="C"))
    return Volume(values[None], values != 0, np.asarray(affine, np.float64), name)


def _shown(image: Image, path: Path, whole: bool) -> np.ndarray:
    """The brain that an image shows by itself, [X, Y, Z] bool as stored."""
    if image.space != PICTURE:
        return find_brain(image, printable(path))
    if whole:
        return np.ones(image.voxels.shape, bool)
    with naming(path):
        return find_head(image.voxels[..., 0])[..., None]


def _read_brain(
    path: Path, grid: Grid, options: ReadOptions
) -> tuple[np.ndarray, tuple[Notice, ...]]:
    brain, notices = read_mask(path, grid, options)
    if not brain.any():
        raise VolumeError(f"{printable(path)}: the brain mask is empty", "E_MASK")
    if brain.all():
        hint = "a mask of the brain leaves the rest out"
        raise VolumeError(f"{printable(path)}: the brain mask covers all voxels", "E_MASK", hint)
    return brain, notices


def _read_like(path: Path, first: Path, grid: Grid, options: ReadOptions) -> Image:
    """An image with its axes in the order of `grid`, or what keeps it from lying there."""
    image = read_image(path, options)
    voxels, turned = reordered_like(image.voxels, image.grid, grid)
    if not same_grid(grid, turned):
        names = printable(first.name), printable(path.name)
        text = f"lies on another grid than {names[0]}: {table(grid, image.grid, names)}"
        hint = "register and resample the sequences to one of them first"
        raise VolumeError(f"{printable(path)}: {text}", "E_GRID", hint)
    return replace(image, voxels=voxels, grid=grid)


def _check_contrast(inside: np.ndarray, path: Path) -> None:
    low, high = float(inside.min()), float(inside.max())
    if low == high:
        message = f"{printable(path)}: all {inside.size:,} voxels of the brain are {low:g}"
        hint = "does the mask belong to this image?"
        raise VolumeError(message, "E_CONSTANT", hint)


def _stack(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences as [M, X, Y, Z], without a second copy of a single one."""
    # Not `ascontiguousarray`: of one flipped slice it keeps a negative stride, which torch refuses.
    return np.array(sequences[0], order="C")[None] if len(sequences) == 1 else np.stack(sequences)


def _source(digests: Sequence[str], brain: np.ndarray, options: ReadOptions, place: bool) -> str:
    """SHA-256 of all that decides what is worked on; of the mask itself, wherever it came from."""
    whole = hashlib.sha256(repr((digests, options.volume, options.assume_ras, place)).encode())
    whole.update(np.packbits(brain).tobytes())
    return whole.hexdigest()
