"""Parts of healthy brains, with what a score network is told beside the voxels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.draws import drawing
from slicenet.extractors.denoising import Clean
from slicenet.extractors.shelf import Shelf

TURNS = (0.25, 0.5)  # of a circle from the middle of the frame to its end
PLACES = 3 * 2 * len(TURNS)  # channels that tell a place


@final
@dataclass(frozen=True, eq=False)
class Patches:
    """What every step sees, a function of (seed, step): parts of slices or of volumes."""

    shelf: Shelf
    among: Sequence[int]  # places on the shelf
    axes: int
    edge: int  # voxels
    count: int
    places: bool
    seed: int

    def at(self, step: int) -> Clean:
        """The patches of one step, each around some voxel of a brain."""
        generator = drawing(self.seed, step, 0)
        drawn = [self._one(generator) for _ in range(self.count)]
        values, context, weight = map(torch.stack, zip(*drawn, strict=True))
        if self.axes == 2:
            values, context, weight = values[..., 0], context[..., 0], weight[..., 0]
        return Clean(values, context, weight)

    def scale(self) -> Tensor:
        """Root mean square of the voxels of these brains, []."""
        total, count = 0.0, 0
        for index in self.among:
            voxels, brain = self.shelf[index]
            total += float(voxels[:, brain].double().square().sum())
            count += len(voxels) * int(brain.sum())
        return torch.tensor(math.sqrt(total / count))

    @cached_property
    def _mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """As `Shelf.mapped` has them."""
        return self.shelf.mapped()

    @cached_property
    def _filled(self) -> dict[int, np.ndarray]:
        """Of each brain, how many voxels it has up to the end of each sagittal slice, [X]."""
        brains = self._mapped[1]
        return {place: brains[place].sum((1, 2)).cumsum() for place in self.among}

    def _voxel(self, chosen: int, number: int) -> list[int]:
        """The voxel of a brain with this number, of those in the order of memory."""
        filled = self._filled[chosen]
        x = int(np.searchsorted(filled, number, "right"))
        before = int(filled[x - 1]) if x else 0
        within = np.argwhere(self._mapped[1][chosen, x])[number - before]
        return [x, *within.tolist()]

    def _one(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        voxels, brains = self._mapped
        chosen = self.among[_below(len(self.among), generator)]
        shape = brains.shape[1:]
        centre = self._voxel(chosen, _below(int(self._filled[chosen][-1]), generator))
        window = []
        for axis, (place, size) in enumerate(zip(centre, shape, strict=True)):
            edge = 1 if axis == 2 and self.axes == 2 else self.edge
            start = place - _below(edge, generator)
            window.append(slice(start, start + edge) if edge == 1 else _within(start, edge, size))
        held, missing = _overlap(window, shape)
        part = torch.from_numpy(voxels[chosen][:, *held].astype(np.float32))
        brain = F.pad(torch.from_numpy(brains[chosen][*held].copy()), missing)
        return F.pad(part, missing), told(brain, window, shape, self.places), brain[None].float()


def told(brain: Tensor, window: Sequence[slice], shape: Sequence[int], places: bool) -> Tensor:
    """What is brain in a window, and where in the frame its voxels lie, [K, *window]."""
    channels = [brain.float()]
    if not places:
        return channels[0][None]
    for axis, (part, size) in enumerate(zip(window, shape, strict=True)):
        middle = (size - 1) / 2
        along = (torch.arange(part.start, part.stop) - middle) / max(middle, 1)
        along = along.view([-1 if other == axis else 1 for other in range(3)])
        for turn in TURNS:
            phase = (2 * math.pi * turn * along).expand(brain.shape)
            channels += [phase.sin(), phase.cos()]
    return torch.stack(channels)


def cut_out(voxels: Tensor, brain: Tensor, window: Sequence[slice]) -> tuple[Tensor, Tensor]:
    """Voxels [M, *window] and brain [*window]; beyond the frame there is none."""
    held, missing = _overlap(window, brain.shape)
    return F.pad(voxels[:, *held], missing), F.pad(brain[*held], missing)


def around(brain: Tensor, margin: int, unit: Sequence[int]) -> list[slice]:
    """The window around a brain, of whole units along each axis; it may reach over the frame."""
    window = []
    for axis, step in enumerate(unit):
        others = [other for other in range(3) if other != axis]
        filled = brain.any(others[1]).any(others[0]).nonzero()
        edge = margin if step > 1 else 0
        start, stop = int(filled.min()) - edge, int(filled.max()) + 1 + edge
        window.append(slice(start, stop + (start - stop) % step))
    return window


def _overlap(window: Sequence[slice], shape: Sequence[int]) -> tuple[list[slice], list[int]]:
    """What of a window the frame holds, and how much lies beyond it, in the order of `F.pad`."""
    held = [
        slice(max(part.start, 0), min(part.stop, size))
        for part, size in zip(window, shape, strict=True)
    ]
    missing = [
        amount
        for part, inner in reversed(list(zip(window, held, strict=True)))
        for amount in (inner.start - part.start, part.stop - inner.stop)
    ]
    return held, missing


def _within(start: int, edge: int, size: int) -> slice:
    """Moved into the frame, if it is as large."""
    moved = min(max(start, 0), max(size - edge, 0))
    return slice(moved, moved + edge)


def _below(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))
