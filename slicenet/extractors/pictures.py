"""From framed intensities to the pictures that a backbone was trained on."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from slicenet.errors import ConfigError, VolumeError
from slicenet.extractors.usual import deviations
from slicenet.volume import Volume

COLOURS = 3
DEVIATIONS = 6.0  # from what is usual, at which black and white lie


@dataclass(frozen=True)
class PictureSettings:
    """How intensities at median 0 and quartile range 1 become values from 0 to 1."""

    scale: str = "limit"  # or extremes: the least and greatest of each brain, as published
    # Healthy T1 spans -2.3 to 1.5: the rest is room for what is stranger, before it saturates.
    limit: float = 3.0  # quartile ranges from the median, at which black and white lie
    outside: float = 0.0  # what surrounds the brain: black, as around a stripped head
    # The second colour of a single sequence shows how far a voxel is from what healthy brains have
    # at its place, which no slice tells by itself. Several sequences leave no colour for it.
    usual: bool = False

    def __post_init__(self) -> None:
        if self.scale not in ("limit", "extremes"):
            raise ConfigError(
                f"picture.scale: have extremes, limit; got {self.scale!r}", "E_SETTING"
            )
        if self.limit <= 0 or not 0 <= self.outside <= 1:
            raise ConfigError(
                "picture: limit must be positive and outside within 0 to 1", "E_SETTING"
            )


def stretched(volume: Volume, settings: PictureSettings) -> Volume:
    """`volume` with the extremes of its brain at the limits, where the settings want that."""
    if settings.scale == "limit":
        return volume
    inside = volume.voxels[:, volume.brain]
    low, high = inside.amin(1)[:, None, None, None], inside.amax(1)[:, None, None, None]
    voxels = ((volume.voxels - low) / (high - low) * 2 - 1) * settings.limit
    return replace(volume, voxels=voxels * volume.brain)


def paint(
    voxels: Tensor, brain: Tensor, settings: PictureSettings, usual: Tensor | None = None
) -> Tensor:
    """Slices [M, H, W, S] with their brain [H, W, S] as colour pictures [S, 3, H, W] in 0 to 1.

    One sequence is repeated; two leave their mean to the third colour. With what is `usual`
    [2, H, W, S] at its place, one sequence leaves the second colour to its deviation from that.
    """
    colours = _colours(_grey(voxels, settings.limit))
    if usual is not None:
        strange = _grey(deviations(voxels[0], usual), DEVIATIONS)
        colours = torch.stack((colours[0], strange, colours[2]))
    return torch.where(brain, colours, settings.outside).permute(3, 0, 1, 2)


def check_sequences(count: int, name: str) -> None:
    """Refuse more sequences than a picture has colours."""
    if count > COLOURS:
        raise VolumeError(
            f"{name}: {count} sequences, and a picture has {COLOURS} colours", "E_SEQUENCES",
            "choose up to three of them",
        )  # fmt: skip


def _grey(values: Tensor, limit: float) -> Tensor:
    """Values from `-limit`, black, to `limit`, white."""
    return (values.clamp(-limit, limit) + limit) / (2 * limit)


def _colours(grey: Tensor) -> Tensor:
    if len(grey) == 1:
        return grey.expand(COLOURS, -1, -1, -1)
    if len(grey) == 2:
        return torch.cat((grey, grey.mean(0, keepdim=True)))
    return grey
