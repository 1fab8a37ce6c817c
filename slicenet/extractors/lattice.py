"""From voxels to the cells of a lattice."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.volume import Volume


def strides(volume: Volume, cell: float) -> tuple[int, int, int]:
    """Voxels a cell covers along each axis: about `cell` mm, and an even share of the frame."""
    x, y, z = (
        _nearest_divisor(size, cell / step)
        for size, step in zip(volume.brain.shape, volume.spacing, strict=True)
    )
    return x, y, z


def check_deep(slices: int, need: str) -> None:
    """Refuse pictures where depth is needed."""
    if slices == 1:
        hint = "zscore, histeq, padim-quick and quick take pictures"
        raise ConfigError(f"{need}: a picture has two", "E_FLAT", hint)


def check_whole(shape: Sequence[int], steps: Sequence[int]) -> None:
    """Refuse a frame of `shape` voxels that is not whole cells of `steps`."""
    for axis, size, step in zip("xyz", shape, steps, strict=True):
        if size % step:
            raise ConfigError(
                f"frame: {size} voxels along {axis} are not whole cells of {step}", "E_FRAME",
                f"{size - size % step} or {size + step - size % step} would be",
            )  # fmt: skip


def pool(values: Tensor, brain: Tensor, steps: tuple[int, int, int]) -> Tensor:
    """Mean of `values` [C, X, Y, Z] over the brain of each cell, [C, x, y, z]."""
    weight = F.avg_pool3d(brain[None].to(values), steps)
    return F.avg_pool3d(values * brain, steps) / weight.clamp(min=1e-6)


def touching(brain: Tensor, steps: tuple[int, int, int], least: float = 0.5) -> Tensor:
    """Cells with at least that share of brain, [x, y, z] bool; a rim of less would be noise."""
    share = F.avg_pool3d(brain[None].float(), steps)[0]
    return share >= min(least, float(share.max()))


def _nearest_divisor(size: int, wanted: float) -> int:
    divisors = [step for step in range(1, size + 1) if size % step == 0]
    return int(min(divisors, key=lambda step: abs(np.log(step / wanted))))
