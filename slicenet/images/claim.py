"""What a header says about the voxels after it, held against the limits before any is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from slicenet.errors import Notice, VolumeError
from slicenet.images.options import ReadOptions

VOLUMES = 64  # times `max_voxels` is what a whole 4D file may claim; it is streamed, not held


@final
@dataclass(frozen=True, eq=False)
class Claim:
    """Where the voxels lie in their file and how numbers come from them."""

    shape: tuple[int, int, int]  # of one volume
    volumes: int
    dtype: np.dtype[Any]  # in the file's byte order
    offset: int  # bytes before the first voxel
    slope: float = 1.0
    intercept: float = 0.0
    trailer: bool = False  # the format has more to say after the voxels
    notices: tuple[Notice, ...] = ()

    @property
    def voxels(self) -> int:
        """How many voxels one volume has."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """How many bytes one volume takes."""
        return self.voxels * self.dtype.itemsize

    @property
    def scaled(self) -> bool:
        """Whether stored numbers are not the intensities themselves."""
        return (self.slope, self.intercept) != (1.0, 0.0)

    def wanted(self, options: ReadOptions) -> int:
        """The number of the volume to read, from 0; a 4D file needs it said."""
        if self.volumes == 1:
            return 0
        if options.volume is None:
            raise VolumeError(
                f"is 4D: {self.volumes} volumes of {by(self.shape)} voxels",
                "E_4D",
                f"choose one: --volume k, 0 to {self.volumes - 1}",
            )
        if not 0 <= options.volume < self.volumes:
            message = f"has no volume {options.volume}, but 0 to {self.volumes - 1}"
            raise VolumeError(message, "E_4D")
        return options.volume


def three_dimensional(
    sizes: Sequence[int], options: ReadOptions
) -> tuple[tuple[int, int, int], int]:
    """The shape of one volume and how many there are, from the sizes of all axes."""
    if any(size < 1 for size in sizes):
        raise VolumeError(f"claims {by(sizes)} voxels", "E_DIM")
    if any(size > 1 for size in sizes[4:]):
        raise VolumeError(f"is {len(sizes)}D ({by(sizes)} voxels), not 3D", "E_DIM")
    x, y, z, volumes = [*sizes, 1, 1, 1][:4]
    if sum(size > 1 for size in (x, y, z)) < 2:
        raise VolumeError(f"is a line of {by((x, y, z))} voxels, not an image", "E_DIM")
    _check_size((x, y, z), volumes, options.max_voxels)
    return (x, y, z), volumes


def by(sizes: Sequence[int]) -> str:
    """Sizes as people write them: 192x224x96."""
    return "x".join(map(str, sizes)) or "0"


def _check_size(shape: tuple[int, int, int], volumes: int, limit: int) -> None:
    voxels = math.prod(shape)
    if voxels > limit:
        message = f"claims {by(shape)} voxels, more than the limit of {limit:,}"
        hint = f"if that is right: --max-voxels {voxels}" if voxels <= 64 * limit else ""
        raise VolumeError(message, "E_TOO_LARGE", hint)
    if voxels * volumes > VOLUMES * limit:
        message = f"claims {volumes:,} volumes of {by(shape)} voxels"
        raise VolumeError(message, "E_TOO_LARGE", "split the file, or raise --max-voxels")
