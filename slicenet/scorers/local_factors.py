"""Outlier factors by position: among healthy vectors of the same place and of those next to it."""

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor, nn

from slicenet.features import FeatureMap
from slicenet.scorers.densities import densities, factors
from slicenet.scorers.places import Places, neighbours
from slicenet.scorers.room import check_room
from slicenet.scorers.standard import Standard
from slicenet.watch import Watch

# Of the healthy spread, how near a neighbour is at the nearest: about what half precision tells
# apart. Brains that are twins in one place would make any other there infinitely strange.
NEAR = 0.01
HELD = 16_000_000  # numbers in memory at a time, beside those that are kept


@final
class LocalFactors(nn.Module):
    """The healthy vectors of each cell, kept once, and what each is worth in every position.

    The first row of `vectors` is of what was never brain: all of it does not exist.
    """

    vectors: Tensor  # [K, V, C] float32, of V brains, on the scale of the scorer
    exist: Tensor  # [K, V] bool, which of them have brain there
    slot: Tensor  # [cells + 1] int64, row of each cell, and of all that lies beyond the lattice
    place: Tensor  # [P] int64, the cell in the middle of each position
    row: Tensor  # [cells] int64, the position that judges each
    reach: Tensor  # [P, N] float32, of cells around the middle one and of brains: to the last
    density: Tensor  # neighbour, and local reachability density

    def __init__(self, nearest: int, around: tuple[int, int, int]) -> None:
        super().__init__()
        self.nearest, self.around = nearest, around
        for name in ("vectors", "reach", "density"):
            self.register_buffer(name, torch.empty(0))
        for name in ("slot", "place", "row"):
            self.register_buffer(name, torch.empty(0, dtype=torch.int64))
        self.register_buffer("exist", torch.empty(0, dtype=torch.bool))

    def fit(
        self, maps: Iterable[FeatureMap], places: Places, least: int, scale: Standard, watch: Watch
    ) -> None:
        """Learn from the brains that `places` has chosen."""
        known, device = places.known(least), self.row.device
        self.row, self.place = places.nearest(known).to(device), known.to(device)
        self._keep(maps, places, scale)
        shape = tuple(places.count.shape)
        least_reach = NEAR * float(self.vectors[self.exist].square().mean().sqrt())
        found, done = list[tuple[Tensor, Tensor]](), 0
        for part in self.place.split(self._rows(pairs=True)):
            found.append(densities(*self._sets(part, shape), self.nearest, least_reach))
            done += len(part)
            watch("lof", done, len(self.place))
        reach, dense = zip(*found, strict=True)
        self.reach, self.density = torch.cat(reach), torch.cat(dense)

    def forward(self, vectors: Tensor, features: FeatureMap) -> Tensor:
        """The factor of each vector [N, C] of a map among those of its position, [N]."""
        rows, shape = self.row[features.cells().to(self.row.device)], tuple(features.inside.shape)
        size = self._rows(pairs=False)
        found = [
            factors(
                part, *self._sets(self.place[row], shape),
                self.reach[row], self.density[row], self.nearest,
            )
            for part, row in zip(vectors.split(size), rows.split(size), strict=True)
        ]  # fmt: skip
        return torch.cat(found)

    def _keep(self, maps: Iterable[FeatureMap], places: Places, scale: Standard) -> None:
        """Put the vectors of the chosen brains side by side, cell by cell."""
        seen, device = places.seen.flatten(), self.row.device
        slot = torch.cat((seen.cumsum(0) * seen, seen.new_zeros(1, dtype=torch.int64)))
        rows, brains = int(seen.sum()) + 1, len(places.chosen)
        channels = len(scale.mean)
        size = 4 * rows * brains * channels
        check_room("lof: the vectors of every position", size, "fewer each, or coarser cells")
        self.slot = slot.to(device)
        self.vectors = torch.zeros(rows, brains, channels, device=device)
        self.exist = torch.zeros(rows, brains, dtype=torch.bool, device=device)
        for index, features in enumerate(places.among(maps)):
            at = self.slot[features.cells().to(device)]
            self.vectors[at, index] = scale(features.vectors)
            self.exist[at, index] = True

    def _sets(self, cells: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Healthy vectors of and around some cells [p], [p, N, C], and which exist, [p, N]."""
        rows = self.slot[neighbours(cells, shape, self.around)]  # [p, W]
        return self.vectors[rows].flatten(1, 2), self.exist[rows].flatten(1, 2)

    def _rows(self, pairs: bool) -> int:
        """Positions at once, with the distances of all pairs in each or not."""
        brains, channels = self.vectors.shape[1:]
        each = brains * int(torch.tensor([2 * one + 1 for one in self.around]).prod())
        return max(1, HELD // (each * max(channels, each if pairs else 0)))
