"""Healthy vectors of each place of a lattice and of those next to it, a few thousand at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self, final

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap

HELD = 16_000_000  # numbers in memory at a time


def check_around(around: tuple[int, ...], least: int) -> None:
    """Refuse a neighbourhood that is none."""
    if len(around) != 3 or min(around) < 0 or least < 2:
        raise ConfigError("around: three counts from 0; least counts from 2", "E_SETTING")


@final
@dataclass(frozen=True, eq=False)
class Places:
    """Where vectors of a cohort lie, and which of its volumes are looked at."""

    count: Tensor  # [x, y, z] int64, vectors at a cell and around it, of the chosen volumes
    seen: Tensor  # [x, y, z] bool, cells that any of them has
    chosen: tuple[int, ...]  # volumes, rising
    around: tuple[int, int, int]  # cells on either side along each axis

    @classmethod
    def of(
        cls, maps: Iterable[FeatureMap], around: tuple[int, int, int], most: int, seed: int
    ) -> Self:
        """Walk the maps; as many volumes, at random, as give no more than `most` a cell."""
        seen = [features.inside.cpu() for features in maps]
        window = int(np.prod([2 * reach + 1 for reach in around]))
        order = torch.randperm(len(seen), generator=drawing(seed, 0, 0, 0))
        chosen = tuple(sorted(order[: max(2, most // window)].tolist()))
        count = torch.stack([seen[index] for index in chosen]).sum(0)
        kernel = tuple(2 * reach + 1 for reach in around)
        mean = F.avg_pool3d(count[None].double(), kernel, 1, around)[0]
        found = (mean * window).round().long()
        return cls(found, count > 0, chosen, around)

    def known(self, least: int) -> Tensor:
        """Cells with at least so many vectors, or with the most there are, [P] int64, rising."""
        enough = min(least, int(self.count.max()))
        return (self.count.flatten() >= enough).nonzero()[:, 0]

    def nearest(self, known: Tensor) -> Tensor:
        """Which of the `known` each cell of the lattice is, or is nearest to, [cells] int64."""
        missing = np.ones(self.count.numel(), bool)
        missing[known.numpy()] = False
        at = distance_transform_edt(
            missing.reshape(self.count.shape), return_distances=False, return_indices=True
        )
        row = torch.zeros(self.count.numel(), dtype=torch.int64)
        row[known] = torch.arange(len(known))
        return row[torch.from_numpy(np.ravel_multi_index(tuple(at), self.count.shape).ravel())]

    def among(self, maps: Iterable[FeatureMap]) -> Iterator[FeatureMap]:
        """Those that are chosen."""
        return (one for index, one in enumerate(maps) if index in self.chosen)

    def walk(
        self, maps: Iterable[FeatureMap], cells: Tensor
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Some of the cells [p], their vectors [p, N, C], and which of these exist, [p, N].

        N counts the cells around one, and for each of them the volumes; one walk a part.
        """
        window = int(np.prod([2 * reach + 1 for reach in self.around]))
        channels = next(iter(maps)).vectors.shape[1]
        rows = max(1, HELD // (window * len(self.chosen) * channels))
        for part in cells.split(rows):
            at = neighbours(part, tuple(self.count.shape), self.around)  # [p, W]
            held = [_taken(one, at) for one in self.among(maps)]
            vectors, exist = (torch.stack(each, 2) for each in zip(*held, strict=True))
            yield part, vectors.flatten(1, 2), exist.flatten(1, 2)


def _taken(features: FeatureMap, at: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors of cells [p, W], 0 where there is none, [p, W, C], and where, [p, W]."""
    inside = features.inside.cpu().flatten()
    number = torch.cat((inside.cumsum(0) * inside, inside.new_zeros(1, dtype=torch.int64)))[at]
    known = number > 0
    vectors = features.vectors.cpu()[(number - 1).clamp(min=0)].float()
    return vectors * known[..., None], known


def neighbours(cells: Tensor, shape: tuple[int, ...], around: tuple[int, ...]) -> Tensor:
    """Each cell [P] and those around it, by their place in the raveled lattice, [P, W].

    The cell itself is in the middle; beyond the lattice stands the number of its cells.
    """
    x, y, z = (torch.arange(-reach, reach + 1, device=cells.device) for reach in around)
    away = torch.stack([one.flatten() for one in torch.meshgrid(x, y, z, indexing="ij")], 1)
    size = torch.tensor(shape, device=cells.device)
    step = torch.tensor([shape[1] * shape[2], shape[2], 1], device=cells.device)
    place = (cells[:, None] // step % size)[:, None] + away  # [P, W, 3]
    found = (place * step).sum(2)
    return found.where(((place >= 0) & (place < size)).all(2), int(size.prod()))
