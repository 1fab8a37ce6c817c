"""A volume turned so that its last axis runs through the slices of a plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch.nn.functional as F
from torch import Tensor

from slicenet.extractors.crops import Crop, around
from slicenet.extractors.lattice import check_deep
from slicenet.extractors.pictures import PictureSettings, paint
from slicenet.volume import Volume

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@final
@dataclass(frozen=True, eq=False)
class View:
    """The slices of one plane, and the size at which they become pictures of square pixels."""

    voxels: Tensor  # [M, H, W, S]
    brain: Tensor  # [H, W, S] bool
    size: tuple[int, int]  # of a picture, whole cells of the finest layer
    axes: tuple[int, int, int]  # of the volume, that run through rows, columns and slices
    usual: Tensor | None = None  # [2, H, W, S], healthy mean and deviation of each voxel

    def pictures(self, chosen: list[int], settings: PictureSettings) -> Tensor:
        """Slices as pictures [S, 3, *size] in 0 to 1."""
        usual = None if self.usual is None else self.usual[..., chosen]
        painted = paint(self.voxels[..., chosen], self.brain[..., chosen], settings, usual)
        if painted.shape[2:] == self.size:
            return painted
        return F.interpolate(painted, self.size, mode="bilinear", antialias=True)

    def shown(self, chosen: list[int]) -> Tensor:
        """How much of each pixel of these slices is brain, [S, 1, *size] in 0 to 1."""
        brain = self.brain[..., chosen].movedim(2, 0)[:, None].float()
        if brain.shape[2:] == self.size:
            return brain
        return F.interpolate(brain, self.size, mode="bilinear", antialias=True)

    def crop(self, first: int, last: int, margin: int, unit: int) -> Crop:
        """The window that holds the brain of the slices from `first` to `last`."""
        filled = self.brain[:, :, first : last + 1].any(2)
        shown = F.interpolate(filled[None, None].float(), self.size, mode="bilinear")[0, 0] > 0
        return around(shown, margin, unit)


def view(volume: Volume, plane: str, stride: int, usual: Tensor | None = None) -> View:
    """`volume`, and what is `usual` [2, X, Y, Z], in slices of `plane`; axes as in `AXES`."""
    rows, columns, _ = AXES[plane]
    if plane != "axial":
        check_deep(volume.brain.shape[2], f"slices.planes: {plane} slices need three dimensions")
    finest = min(volume.spacing[0], volume.spacing[1])  # the pixel of an axial slice
    shape = volume.brain.shape
    h, w = (
        # The axial lattice is the volume's own; other planes stretch thick slices to its pixels.
        shape[axis]
        if plane == "axial" or volume.spacing[axis] <= finest
        else max(1, round(shape[axis] * volume.spacing[axis] / finest / stride)) * stride
        for axis in (rows, columns)
    )
    order = AXES[plane]
    turned = (0, *(1 + axis for axis in order))
    return View(
        volume.voxels.permute(turned),
        volume.brain.permute(order),
        (h, w),
        order,
        None if usual is None else usual.permute(turned),
    )


def ranks(inside: Tensor) -> Tensor:
    """The row of each inside cell in a feature map's vectors, [x, y, z] int64."""
    return (inside.flatten().cumsum(0) - 1).view_as(inside)


def resample(layers: Tensor, shape: Sequence[int]) -> Tensor:
    """Layers [S, C, h, w] that span the same box, on a lattice of another shape."""
    if list(layers.shape[2:]) == list(shape):
        return layers
    if layers.shape[2] > shape[0]:
        return F.adaptive_avg_pool2d(layers, (shape[0], shape[1]))
    return F.interpolate(layers, tuple(shape), mode="bilinear")
