"""How much more thinly vectors lie around one than around its neighbours (Breunig et al., 2000)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.search import nearest
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch

LEAST = 1e-10  # mean reach, so that many twins have a density


@dataclass(frozen=True)
class LofSettings:
    """Settings of `LofScorer`."""

    kept: int = 8000  # healthy vectors, as many of every volume
    nearest: int = 20  # neighbours whose density is compared
    standardise: bool = True  # channels by their healthy spread

    def __post_init__(self) -> None:
        if not 1 <= self.nearest < self.kept:
            raise ConfigError("nearest must be from 1 to below kept", "E_SETTING")


@final
class LofScorer(Scorer):
    """Local outlier factor among healthy vectors: about 1 where they lie, higher away from them."""

    settings: LofSettings
    vectors: Tensor  # [K, C] float32, on the scale of `standard`
    reach: Tensor  # [K] float32, distance of each to the last of its own neighbours
    density: Tensor  # [K] float32, local reachability density

    def __init__(self, settings: LofSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        for name in ("vectors", "reach", "density"):
            self.register_buffer(name, torch.empty(0))

    def fit(self, maps: Iterable[FeatureMap], watch: Watch) -> None:
        sample = draw_sample(maps, self.settings.kept, self.seed)
        if len(sample.vectors) < 2:
            raise ConfigError("lof: a single healthy vector has no neighbour", "E_TOO_FEW")
        self.standard.fit(sample)
        self.vectors = self.standard(sample.vectors)
        count = min(self.settings.nearest, len(self.vectors) - 1)
        # Of each other: none is its own neighbour, twins are each other's.
        search = NearestNeighbors(n_neighbors=count, algorithm="brute")
        distances, rows = map(torch.from_numpy, search.fit(self.vectors.cpu().numpy()).kneighbors())
        reach = distances[:, -1]
        density = _density(distances, reach[rows])
        self.reach, self.density = reach.to(self.vectors), density.to(self.vectors)

    def score(self, features: FeatureMap) -> Tensor:
        if not len(features.vectors):
            return torch.zeros(0, device=self.vectors.device)
        count = min(self.settings.nearest, len(self.vectors) - 1)
        distances, rows = nearest(self.standard(features.vectors), self.vectors, count)
        return self.density[rows].mean(1) / _density(distances, self.reach[rows])


def _density(distances: Tensor, reach: Tensor) -> Tensor:
    """One by the mean distance to neighbours [N, k], each at least its own reach, [N]."""
    return 1 / (torch.maximum(distances, reach).mean(1) + LEAST)
