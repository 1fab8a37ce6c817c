"""Healthy pictures for one step of a fine-tuning, cut to what is shown in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.crops import Crop, around
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slice_pool import SlicePool


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Slices of one plane as the backbone sees them when it scores."""

    pictures: Tensor  # [B, 3, H, W] in 0 to 1
    brain: Tensor  # [B, H, W] in 0 to 1, how much of a pixel is brain
    crop: Crop  # where the window lies in whole pictures
    pool: int  # which of the pools they are from


@final
@dataclass(frozen=True, eq=False)
class Batches:
    """What every step sees, a function of (seed, step); the planes take turns."""

    pools: Sequence[SlicePool]
    picture: PictureSettings
    count: int  # slices of a batch
    margin: int  # pixels around the brain that are looked at
    unit: int  # pixels of the backbone's coarsest cell
    seed: int

    def __post_init__(self) -> None:
        if any(len(pool) < 2 for pool in self.pools):
            raise ConfigError("fine-tuning needs two slices of each plane", "E_TOO_FEW")

    def at(self, step: int) -> Batch:
        """The batch of one step."""
        index = step % len(self.pools)
        drawn = self.pools[index].draw(self.count, drawing(self.seed, step))
        pictures, cover = drawn.pictures(self.picture), drawn.cover(drawn.brain)
        crop = around((cover > 0).any(0), self.margin, self.unit)
        cut = crop.cut(cover[:, None], 0.0)[:, 0]
        return Batch(crop.cut(pictures, self.picture.outside), cut, crop, index)
