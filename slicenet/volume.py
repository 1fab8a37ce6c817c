"""A brain in memory: co-registered sequences in RAS order, their mask, and their place."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor

from slicenet.errors import Notice, VolumeError
from slicenet.files import digest
from slicenet.images.alignment import same_grid, table
from slicenet.images.brain import find_brain
from slicenet.images.grid import Grid
from slicenet.images.image import Image, read_image, read_mask
from slicenet.images.options import ReadOptions


@final
@dataclass(frozen=True, eq=False)
class Volume:
    """M co-registered sequences of one brain in RAS order, with their place in the world."""

    voxels: Tensor  # [M, X, Y, Z] float32
    brain: Tensor  # [X, Y, Z] bool
    affine: np.ndarray  # [4, 4] voxel to world, mm
    name: str
    in_template_space: bool = False  # world millimetres are MNI's
    stored: Grid | None = None  # the grid of the file; none if there was no file
    notices: tuple[Notice, ...] = ()
    source: str = field(default="", repr=False)  # digest of the files it came from

    def __post_init__(self) -> None:
        if self.voxels.ndim != 4:
            shape = list(self.voxels.shape)
            raise VolumeError(f"{self.name}: expected [M, X, Y, Z], got {shape}", "E_DIM")
        if self.brain.shape != self.voxels.shape[1:]:
            raise VolumeError(f"{self.name}: the brain mask lies on another grid", "E_MASK")
        if not self.brain.any():
            raise VolumeError(f"{self.name}: the brain mask is empty", "E_MASK")

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
        whole = hashlib.sha256(str(tuple(self.voxels.shape)).encode())
        for part in parts:
            whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()


def read_volume(
    images: Sequence[Path],
    name: str,
    mask: Path | None = None,
    options: ReadOptions = ReadOptions(),
    in_template_space: bool = False,
) -> Volume:
    """Read co-registered sequences of one brain, with their mask or the one that the first shows.

    The mask is that of the first sequence: what stripped it stripped the others alike, and their
    own zeros may be dark tissue.
    """
    read = [read_image(path, options) for path in images]
    first = read[0]
    for path, image in zip(images[1:], read[1:], strict=True):
        if not same_grid(first.grid, image.grid):
            text = table(first.grid, image.grid, (images[0].name, path.name))
            raise VolumeError(f"{name}: sequences lie on different grids: {text}", "E_GRID")
    given = read_mask(mask, first.grid, options) if mask else None
    brain, noticed = given or (find_brain(first, name), ())
    _check_brain(first, brain, name)
    return Volume(
        voxels=torch.from_numpy(_stack([first.grid.to_ras(image.voxels) for image in read])),
        brain=torch.from_numpy(np.ascontiguousarray(first.grid.to_ras(brain))),
        affine=first.grid.ras_affine,
        name=name,
        in_template_space=in_template_space or first.space == "mni",
        stored=first.grid,
        notices=(*(notice for image in read for notice in image.notices), *noticed),
        source=_digest([image.digest for image in read], mask, options),
    )


def from_array(voxels: np.ndarray, affine: np.ndarray, name: str = "array") -> Volume:
    """Take a skull-stripped RAS array [X, Y, Z]; voxels that are not 0 are brain."""
    values = torch.from_numpy(np.ascontiguousarray(voxels, dtype=np.float32))
    return Volume(values[None], values != 0, np.asarray(affine, np.float64), name)


def _check_brain(image: Image, brain: np.ndarray, name: str) -> None:
    """Refuse a mask that marks nothing, all, or one intensity only."""
    if not brain.any():
        raise VolumeError(f"{name}: the brain mask is empty", "E_MASK")
    if brain.all():
        raise VolumeError(f"{name}: the brain mask covers the whole image", "E_MASK")
    inside = image.voxels[brain]
    if inside.min() == inside.max():
        raise VolumeError(f"{name}: one intensity in the whole brain", "E_CONSTANT")


def _stack(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences as [M, X, Y, Z], without a second copy of a single one."""
    if len(sequences) == 1:
        return np.ascontiguousarray(sequences[0])[None]
    return np.stack(sequences)


def _digest(images: Sequence[str], mask: Path | None, options: ReadOptions) -> str:
    """SHA-256 of all that decides the voxels and the brain."""
    parts = [*images, digest(mask) if mask else "", str(options.volume), str(options.resample_mask)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
