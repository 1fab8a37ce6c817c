"""How unlikely norms of scores are under a Gaussian mixture: the density of MSMA."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.mixture_fitting import FittingSettings
from slicenet.savepoint import Savepoint
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.scoring import Scorer
from slicenet.watch import Watch

ROUNDS = 300  # of a fit, at most


@dataclass(frozen=True)
class NormMixtureSettings:
    """Settings of `NormMixtureScorer`."""

    components: tuple[int, ...] = (1, 2, 3, 4, 6, 8)  # of which left-out subjects choose one
    folds: int = 5  # in which subjects are left out, each once
    ridge: float = 1e-2  # added to the variances of standardised norms
    by_place: bool = True  # norms against what is usual in their cell, which is not published
    kept: int = 50_000  # healthy norms that the mixture is fitted on, as many of every volume

    def __post_init__(self) -> None:
        if self.ridge <= 0:
            raise ConfigError("ridge must be positive", "E_SETTING")
        self.density()

    def density(self) -> MixtureSettings:
        """Those of the mixture over norms that are standardised already."""
        fitting = FittingSettings(ridge=self.ridge, rounds=ROUNDS)
        return MixtureSettings(self.components, self.folds, self.kept, False, fitting)


@final
class NormMixtureScorer(Scorer):
    """Minus the log density, in nats, of norms against what is usual in their place.

    As published, the number of components was that of the highest likelihood, and so the largest
    that there was.
    """

    settings: NormMixtureSettings
    usual: Tensor  # [cells, C] float64, mean of each cell; of all where a cell was never seen
    spread: Tensor  # [C] float64, around that

    def __init__(self, settings: NormMixtureSettings) -> None:
        super().__init__()
        self.settings = settings
        self.density = MixtureScorer(settings.density())
        for name in ("usual", "spread"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        kept = [
            replace(one, vectors=one.vectors.cpu().double(), inside=one.inside.cpu())
            for one in maps
        ]
        every = torch.cat([one.vectors for one in kept])
        if len(every) < 2:
            raise ConfigError("mixture: a single vector of norms has no density", "E_TOO_FEW")
        where = torch.cat([one.cells() for one in kept])
        standard = self._standardise(every, where, kept[0].inside.numel())
        parts = standard.split([len(one.vectors) for one in kept])
        pairs = zip(parts, kept, strict=True)
        self.density.fit([replace(one, vectors=part) for part, one in pairs], watch)

    def score(self, features: FeatureMap) -> Tensor:
        wide = features.vectors.to(self.usual.device, torch.float64)
        standard = (wide - self.usual[features.cells().to(wide.device)]) / self.spread
        return self.density.score(FeatureMap(standard, features.inside))

    def _standardise(self, every: Tensor, where: Tensor, size: int) -> Tensor:
        """Learn what is usual in each cell; vectors against that, as new ones will be, [N, C].

        A cell seen once is trusted half. No vector takes part in what it is held against.
        """
        overall, counts = every.mean(0), torch.bincount(where, minlength=size)[:, None]
        others = (every.sum(0) - every) / (len(every) - 1)
        usual = overall.expand(size, -1)
        if self.settings.by_place:
            total = torch.zeros(size, len(overall), dtype=torch.float64).index_add_(0, where, every)
            usual = (total + overall) / (counts + 1)
            others = (total[where] - every + others) / counts[where]
        around = every - others
        spread = around.square().mean(0).sqrt().clamp(min=1e-6)
        device = self.usual.device
        self.usual, self.spread = usual.contiguous().to(device), spread.to(device)
        return around / spread
