"""A grid of two or three axes in millimetres: distances on it, fields on it, blur on it.

Fields and blur go through frequencies, so what leaves the grid at one side returns at the other;
brains lie far enough from its edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from slicenet.simulation.draws import Draws


@final
@dataclass(frozen=True)
class Space:
    """The spatial axes of a batch."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]  # mm, of each axis
    device: torch.device

    @property
    def axes(self) -> tuple[int, ...]:
        """Where the spatial axes stand in any tensor, counted from its end."""
        return tuple(range(-len(self.shape), 0))

    @property
    def finest(self) -> float:
        """Edge of a voxel, mm."""
        return min(self.spacing)

    def spread(self, values: Tensor) -> Tensor:
        """Values [...] as [..., 1, 1] or [..., 1, 1, 1], to meet tensors of this space."""
        return values[(..., *(None for _ in self.shape))]

    def away(self, centres: Tensor) -> Tensor:
        """From each of the centres [N, D] in voxels to every voxel, [N, D, *space] mm."""
        found = centres.new_empty((*centres.shape, *self.shape), dtype=torch.float32)
        for axis, (size, step) in enumerate(zip(self.shape, self.spacing, strict=True)):
            line = torch.arange(size, device=self.device) - centres[:, axis, None]  # [N, size]
            view = [len(centres)] + [1] * len(self.shape)
            view[1 + axis] = size
            found[:, axis] = (line * step).view(view)
        return found

    def blur(self, images: Tensor, deviation: Tensor) -> Tensor:
        """Images [N, ..., *space] through Gaussians of `deviation` [N] mm."""
        passed = torch.exp(-0.5 * self._squares * self.spread(deviation) ** 2)
        passed = passed.unflatten(
            0, (len(images), *(1 for _ in images.shape[1 : -len(self.shape)]))
        )
        return self._back(self._forth(images) * passed)

    def field(self, draws: Draws, scale: Tensor, smoothness: Tensor) -> Tensor:
        """Random fields of mean 0 and deviation 1, [N, *space].

        `scale` [N] mm is about the radius of their blots; their spectrum is Matérn's, so that a
        `smoothness` [N] of 1 is rough as clouds are and one of 4 is nearly all of one scale.
        """
        white = draws.normal((len(scale), *self.shape))
        power = -(self.spread(smoothness) + len(self.shape) / 2) / 2
        # Blots of radius r take about 1.6 r from crest to flank whatever the exponent.
        passed = (1 + self._squares * self.spread(scale) ** 2) ** power
        passed.flatten(1)[:, 0] = 0
        found = self._back(self._forth(white) * passed)
        return found / self.spread(found.square().mean(self.axes).sqrt().clamp(min=1e-9))

    def _forth(self, images: Tensor) -> Tensor:
        return torch.fft.rfftn(images, dim=self.axes)

    def _back(self, waves: Tensor) -> Tensor:
        return torch.fft.irfftn(waves, self.shape, dim=self.axes)

    @cached_property
    def _squares(self) -> Tensor:
        """Squared angular frequency of each wave, [*waves] in 1 / mm^2."""
        last = len(self.shape) - 1
        total = torch.zeros((), device=self.device)
        for axis, (size, step) in enumerate(zip(self.shape, self.spacing, strict=True)):
            frequencies = torch.fft.rfftfreq if axis == last else torch.fft.fftfreq
            line = (2 * math.pi * frequencies(size, step, device=self.device)) ** 2
            total = total[..., None] + line
        return total


def space_of(brain: Tensor, spacing: Sequence[float]) -> Space:
    """The space of a batch of masks [B, *space]."""
    shape = tuple(brain.shape[1:])
    assert len(shape) == len(spacing), f"{len(spacing)} spacings for {len(shape)} axes"
    return Space(shape, tuple(float(step) for step in spacing), brain.device)
