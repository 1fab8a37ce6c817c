"""The plain baseline: how many deviations an intensity lies from the healthy mean at its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers import polarity
from slicenet.scoring import Scorer
from slicenet.watch import Watch


@dataclass(frozen=True)
class ZScoreSettings:
    """Settings of `ZScoreScorer`."""

    polarity: str = "both"  # or "bright", "dark"
    prior: float = 4.0  # subjects that the whole brain's variance counts for at each place

    def __post_init__(self) -> None:
        polarity.check(self.polarity)
        if self.prior <= 0:
            raise ConfigError("prior must be positive", "E_SETTING")


@final
class ZScoreScorer(Scorer):
    """Distance from the mean at a place in healthy deviations; root mean square over sequences."""

    settings: ZScoreSettings
    mean: Tensor  # [P, M] float32
    deviation: Tensor  # [P, M] float32

    def __init__(self, settings: ZScoreSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("mean", torch.empty(0))
        self.register_buffer("deviation", torch.empty(0))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        count = mean = squares = torch.empty(0)
        for features in maps:
            if not len(count):
                count = torch.zeros(features.inside.numel(), 1, dtype=torch.float64)
                mean = count.repeat(1, features.vectors.shape[1])
                squares = torch.zeros_like(mean)
            cells = features.cells()
            seen, delta = count[cells], features.vectors.double() - mean[cells]
            mean[cells] += delta / (seen + 1)
            squares[cells] += delta.square() * seen / (seen + 1)
            count[cells] += 1
        self._keep(count, mean, squares)

    def score(self, features: FeatureMap) -> Tensor:
        cells = features.cells()
        vectors = features.vectors.to(self.mean)
        signed = (vectors - self.mean[cells]) / self.deviation[cells]
        return polarity.strangeness(signed, self.settings.polarity)

    def _keep(self, count: Tensor, mean: Tensor, squares: Tensor) -> None:
        everywhere = squares.sum(0) / (count - 1).clamp(min=0).sum().clamp(min=1)  # [M]
        prior = self.settings.prior
        variance = (squares + prior * everywhere) / (count - 1 + prior).clamp(min=prior)
        overall = (mean * count).sum(0) / count.sum()
        # A place that no healthy brain covers has no mean of its own.
        self.mean = torch.where(count > 0, mean, overall).float()
        self.deviation = variance.clamp(min=1e-6).sqrt().float()
