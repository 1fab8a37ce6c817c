"""Histogram-equalised intensity: no learning, and yet hard to beat on T2-weighted tumours."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers import polarity
from slicenet.scoring import Scorer
from slicenet.watch import Watch


@dataclass(frozen=True)
class HistEqSettings:
    """Settings of `HistEqScorer`."""

    polarity: str = "both"  # or "bright", "dark"

    def __post_init__(self) -> None:
        polarity.check(self.polarity)


@final
class HistEqScorer(Scorer):
    """How far the rank of an intensity within its own brain lies from the middle, 0 to 0.5."""

    settings: HistEqSettings

    def __init__(self, settings: HistEqSettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Nothing to learn."""

    def score(self, features: FeatureMap) -> Tensor:
        ranks = torch.stack([_ranks(column) for column in features.vectors.float().T], 1)
        return polarity.strangeness(ranks - 0.5, self.settings.polarity)


def _ranks(values: Tensor) -> Tensor:
    """Share of values below each one, equal values sharing their mean rank, [N] within 0 to 1."""
    ordered = values.sort().values
    below = torch.searchsorted(ordered, values)
    up_to = torch.searchsorted(ordered, values, right=True)
    return (below + up_to).float() / (2 * len(values))
