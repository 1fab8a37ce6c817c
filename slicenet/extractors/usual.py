"""What is usual at a place: the healthy mean and deviation of every voxel of the frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.volume import Volume

PRIOR = 4.0  # volumes that the whole brain's variance counts for at each place


@final
@dataclass(frozen=True, eq=False)
class Usual:
    """Sums over healthy volumes in one frame, each [X, Y, Z] float64."""

    count: Tensor
    total: Tensor
    squares: Tensor

    @classmethod
    def of(cls, volumes: Iterable[Volume]) -> "Usual":
        """Of all these; only the first sequence counts."""
        found: Usual | None = None
        for volume in volumes:
            more = cls(*_sums(volume))
            found = more if found is None else found.joined(more, 1.0)
        if found is None:
            raise ConfigError("no volume to tell what is usual", "E_TOO_FEW")
        return found

    def without(self, volume: Volume) -> "Usual":
        """Of all others: a brain is no part of what it is compared with."""
        return self.joined(Usual(*_sums(volume)), -1.0)

    def joined(self, other: "Usual", sign: float) -> "Usual":
        """With the volumes of another, or without them where `sign` is -1."""
        return Usual(
            self.count + sign * other.count,
            self.total + sign * other.total,
            self.squares + sign * other.squares,
        )

    def maps(self) -> Tensor:
        """Mean and deviation of each voxel, [2, X, Y, Z] float16; the brain's where none is."""
        count = self.count.clamp(min=1)
        scatter = (self.squares - self.total.square() / count).clamp(min=0)
        overall = scatter.sum() / (self.count - 1).clamp(min=0).sum().clamp(min=1)
        variance = (scatter + PRIOR * overall) / (self.count - 1 + PRIOR).clamp(min=PRIOR)
        middle = self.total.sum() / self.count.sum().clamp(min=1)
        mean = torch.where(self.count > 0, self.total / count, middle)
        return torch.stack((mean, variance.sqrt().clamp(min=1e-3))).half()


def deviations(voxels: Tensor, maps: Tensor) -> Tensor:
    """Voxels [...] in deviations from what `maps` [2, ...] call usual."""
    mean, deviation = maps.float()
    return (voxels - mean) / deviation


def _sums(volume: Volume) -> tuple[Tensor, Tensor, Tensor]:
    brain = volume.brain.double()
    inside = volume.voxels[0].double() * brain
    return brain, inside, inside.square()
