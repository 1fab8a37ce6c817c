"""How far a vector lies from the healthy ones that are kept: PatchCore (Roth et al., 2022)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers.coreset import coreset
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.search import check_installed, check_search, nearest
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch


@dataclass(frozen=True)
class NeighboursSettings:
    """Settings of `NeighboursScorer`."""

    bank: int = 4096  # healthy vectors that are kept
    candidates: int = 40_000  # healthy vectors, as many of every volume, that they are chosen from
    projection: int = 128  # channels in which candidates are far from each other; 0 for all
    nearest: int = 1  # whose mean distance is the score; 1 as published
    standardise: bool = True  # channels by their healthy spread, which is not published
    search: str = "exact"  # or faiss, which finds the same

    def __post_init__(self) -> None:
        check_search(self.search)
        if not 1 <= self.nearest <= self.bank <= self.candidates or self.projection < 0:
            raise ConfigError(
                "nearest, bank and candidates must rise from 1, projection not be negative",
                "E_SETTING",
            )


@final
class NeighboursScorer(Scorer):
    """Mean distance to the nearest vectors of a bank that covers what is healthy."""

    settings: NeighboursSettings
    bank: Tensor  # [B, C] float32, on the scale of `standard`

    def __init__(self, settings: NeighboursSettings) -> None:
        super().__init__()
        check_installed(settings.search)
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        self.register_buffer("bank", torch.empty(0))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        settings = self.settings
        sample = draw_sample(maps, settings.candidates, self.seed)
        self.standard.fit(sample)
        candidates = self.standard(sample.vectors)
        draw = drawing(self.seed, 0, 0)  # none that the sample has used
        chosen = coreset(candidates, settings.bank, settings.projection, draw, watch)
        self.bank = candidates[chosen]

    def score(self, features: FeatureMap) -> Tensor:
        if not len(features.vectors):
            return torch.zeros(0, device=self.bank.device)
        count = min(self.settings.nearest, len(self.bank))
        vectors = self.standard(features.vectors)
        return nearest(vectors, self.bank, count, self.settings.search)[0].mean(1)
