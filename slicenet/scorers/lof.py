"""How much more thinly vectors lie around one than around its neighbours (Breunig et al., 2000)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers.densities import density
from slicenet.scorers.local_factors import LocalFactors
from slicenet.scorers.places import Places, check_around
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.search import nearest
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch

SCOPES = ("shared", "position")


@dataclass(frozen=True)
class LofSettings:
    """Settings of `LofScorer`."""

    scope: str = "shared"  # among vectors of whole brains, or "position": of the same place
    kept: int = 8000  # healthy vectors, as many of every volume
    nearest: int = 20  # neighbours whose density is compared
    standardise: bool = True  # channels by their healthy spread
    around: tuple[int, int, int] = (1, 1, 0)  # cells on either side that belong to a position
    each: int = 300  # healthy vectors of a position, at most, of as many brains as that gives
    least: int = 20  # vectors that a position needs; one with fewer asks the nearest that has them

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ConfigError(f"scope: have {', '.join(SCOPES)}; got {self.scope!r}", "E_SETTING")
        if not 1 <= self.nearest < self.kept or self.each < 2:
            raise ConfigError("nearest: from 1 to below kept; each counts from 2", "E_SETTING")
        check_around(self.around, self.least)


@final
class LofScorer(Scorer):
    """Local outlier factor among healthy vectors: about 1 where they lie, higher away from them."""

    settings: LofSettings
    vectors: Tensor  # [K, C] float32, on the scale of `standard`; empty by position
    reach: Tensor  # [K] float32, distance of each to the last of its own neighbours
    density: Tensor  # [K] float32, local reachability density

    def __init__(self, settings: LofSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        self.local = LocalFactors(settings.nearest, settings.around)
        for name in ("vectors", "reach", "density"):
            self.register_buffer(name, torch.empty(0))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        sample = draw_sample(maps, self.settings.kept, self.seed)
        if len(sample.vectors) < 2:
            raise ConfigError("lof: a single healthy vector has no neighbour", "E_TOO_FEW")
        self.standard.fit(sample)
        if self.settings.scope == "position":
            places = Places.of(maps, self.settings.around, self.settings.each, self.seed)
            if int(places.count.max()) < 2:
                raise ConfigError("lof: no position has two healthy vectors", "E_TOO_FEW",
                                  "more brains, or more cells around")  # fmt: skip
            self.local.fit(maps, places, self.settings.least, self.standard, watch)
            return
        self.vectors = self.standard(sample.vectors)
        count = min(self.settings.nearest, len(self.vectors) - 1)
        # Of each other: none is its own neighbour, twins are each other's.
        search = NearestNeighbors(n_neighbors=count, algorithm="brute")
        distances, rows = map(torch.from_numpy, search.fit(self.vectors.cpu().numpy()).kneighbors())
        reach = distances[:, -1]
        dense = density(distances, reach[rows])
        self.reach, self.density = reach.to(self.vectors), dense.to(self.vectors)

    def score(self, features: FeatureMap) -> Tensor:
        vectors = self.standard(features.vectors)
        if not len(vectors):
            return vectors.new_zeros(0)
        if self.settings.scope == "position":
            return self.local(vectors, features)
        count = min(self.settings.nearest, len(self.vectors) - 1)
        distances, rows = nearest(vectors, self.vectors, count)
        return self.density[rows].mean(1) / density(distances, self.reach[rows])
