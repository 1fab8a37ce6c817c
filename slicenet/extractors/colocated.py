"""Patches around the same voxel of two healthy brains, at random from a whole cohort."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.shelf import Shelf


@final
@dataclass(frozen=True, eq=False)
class Colocated:
    """What every step sees, a function of (seed, step).

    The two are always of different subjects, and both have brain where they are centred.
    """

    voxels: np.ndarray  # [V, M, X, Y, Z] float16, as good as on disk
    brain: np.ndarray  # [V, X, Y, Z] bool
    owners: np.ndarray  # [V] int64, whose each volume is
    places: np.ndarray  # [N, 3] voxels that are brain in at least two subjects
    sides: tuple[int, int, int]  # voxels of a patch along each axis, 1 where it is flat
    seed: int

    @classmethod
    def on(
        cls, shelf: Shelf, subjects: Sequence[str], sides: tuple[int, int, int], seed: int
    ) -> Self:
        """Of all volumes of a shelf, which must stay open, and the subject of each."""
        known, owners = np.unique(list(subjects), return_inverse=True)
        if len(known) < 2:
            raise ConfigError("siamese: needs volumes of two subjects to pair", "E_TOO_FEW")
        voxels, brain = shelf.mapped()
        count = np.zeros(brain.shape[1:], np.int32)
        for owner in range(len(known)):
            count += brain[owners == owner].any(0)
        places = np.argwhere(count >= 2)
        if not len(places):
            raise ConfigError("siamese: no two brains lie in the same place", "E_TOO_FEW")
        return cls(voxels, brain, owners, places, sides, seed)

    def at(self, step: int, count: int) -> Tensor:
        """So many pairs of patches, [2, count, M, *sides] float32, without the flat axes."""
        volumes, centres = self.drawn(step, count)
        grid = [np.arange(side) - side // 2 for side in self.sides]
        away = np.stack(np.meshgrid(*grid, indexing="ij"))  # [3, *sides]
        sought = centres.T[:, :, None, None, None, None] + away[:, None, None]
        size = np.array(self.brain.shape[1:])[:, None, None, None, None, None]
        x, y, z = np.clip(sought, 0, size - 1)  # each [count, 1, *sides]
        within = ((sought >= 0) & (sought < size)).all(0)
        sequences = np.arange(self.voxels.shape[1])[:, None, None, None]
        which = volumes[:, :, None, None, None, None]
        taken = self.voxels[which, sequences, x, y, z].astype(np.float32) * within
        found = torch.from_numpy(taken)  # [2, count, M, *sides]
        return found.squeeze(-1) if self.sides[2] == 1 else found

    def drawn(self, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Volumes of two subjects for each place, [2, count], and the places, [count, 3]."""
        random = np.random.default_rng([self.seed, step])
        centres = self.places[random.integers(len(self.places), size=count)]
        have = self.brain[:, centres[:, 0], centres[:, 1], centres[:, 2]]  # [V, count]
        order = np.where(have, random.random(have.shape), 2.0)
        first = order.argmin(0)
        same = self.owners[:, None] == self.owners[first]  # [V, count]
        return np.stack((first, np.where(same, 2.0, order).argmin(0))), centres
