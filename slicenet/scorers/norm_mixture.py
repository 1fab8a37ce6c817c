"""How unlikely norms of scores are under a Gaussian mixture: the density of MSMA.

Scikit-learn fits it; what it finds is kept as tensors.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scoring import Scorer
from slicenet.watch import Watch


@dataclass(frozen=True)
class NormMixtureSettings:
    """Settings of `NormMixtureScorer`."""

    components: tuple[int, ...] = (1, 2, 3, 4, 6, 8)  # of which one number is chosen
    folds: int = 5  # of volumes, whose likelihood under the others chooses
    ridge: float = 1e-2  # added to the variances of standardised norms
    by_place: bool = True  # norms against what is usual in their cell, which is not published

    def __post_init__(self) -> None:
        if not self.components or list(self.components) != sorted(set(self.components)):
            raise ConfigError(
                f"components: expected rising numbers, got {self.components}", "E_SETTING"
            )
        if self.components[0] < 1 or self.folds < 2 or self.ridge <= 0:
            raise ConfigError(
                "components count from 1 and folds from 2, ridge is positive", "E_SETTING"
            )


@final
class NormMixtureScorer(Scorer):
    """Minus the log density, in nats.

    The number of components is the smallest that volumes left out do not find less likely. As
    published, it was the highest likelihood, and so the largest number there was.
    """

    settings: NormMixtureSettings
    usual: Tensor  # [cells, C] float64, mean of each cell; of all where a cell was never seen
    spread: Tensor  # [C] float64, around that
    weight: Tensor  # [K] float64, logarithm
    mean: Tensor  # [K, C] float64
    precision: Tensor  # [K, C, C] float64, factors of the inverse covariances

    def __init__(self, settings: NormMixtureSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        for name in ("usual", "spread", "weight", "mean", "precision"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def fit(self, maps: Iterable[FeatureMap], watch: Watch) -> None:
        vectors, cells, size = [], [], 0
        for one in maps:
            vectors.append(one.vectors.cpu().double())
            cells.append(one.cells().cpu())
            size = one.inside.numel()
        standard = self._standardise(torch.cat(vectors), torch.cat(cells), size)
        seen = [part.numpy() for part in standard.split([len(part) for part in vectors])]
        if len(standard) < 2:
            raise ConfigError("mixture: a single vector of norms has no density", "E_TOO_FEW")
        chosen = self._choose(seen, watch)
        found = self._mixture(chosen, np.concatenate(seen))
        device = self.usual.device
        self.weight = torch.from_numpy(np.log(found.weights_)).to(device)
        self.mean = torch.from_numpy(found.means_).to(device)
        self.precision = torch.from_numpy(found.precisions_cholesky_).to(device)

    def score(self, features: FeatureMap) -> Tensor:
        wide = features.vectors.to(self.usual.device, torch.float64)
        standard = (wide - self.usual[features.cells().to(wide.device)]) / self.spread
        # A factor L of the inverse covariance: |L'(x - m)| is the Mahalanobis distance.
        turned = torch.einsum("nc,kcd->nkd", standard, self.precision)
        around = turned - torch.einsum("kc,kcd->kd", self.mean, self.precision)
        log_factor = self.precision.diagonal(dim1=1, dim2=2).log().sum(1)
        channels = standard.shape[1]
        each = log_factor - 0.5 * (around.square().sum(2) + channels * math.log(2 * math.pi))
        return -torch.logsumexp(each + self.weight, 1).float()

    def _standardise(self, every: Tensor, where: Tensor, size: int) -> Tensor:
        """Learn what is usual in each cell; vectors against that, as new ones will be, [N, C].

        A cell seen once is trusted half. No vector takes part in what it is held against.
        """
        overall, counts = every.mean(0), torch.bincount(where, minlength=size)[:, None]
        total = torch.zeros(size, len(overall), dtype=torch.float64).index_add_(0, where, every)
        usual, others = overall.expand(size, -1), overall.expand(len(every), -1)
        if self.settings.by_place:
            usual = (total + overall) / (counts + 1)
            others = (total[where] - every + overall) / counts[where]
        around = every - others
        spread = around.square().mean(0).sqrt().clamp(min=1e-6)
        device = self.usual.device
        self.usual, self.spread = usual.contiguous().to(device), spread.to(device)
        return around / spread

    def _choose(self, seen: Sequence[np.ndarray], watch: Watch) -> int:
        """The fewest components that volumes left out hold as likely as any other number."""
        folds = min(self.settings.folds, len(seen))
        order = np.random.default_rng(self.seed).permutation(len(seen))
        parts = [order[fold::folds] for fold in range(folds)] if folds > 1 else []
        candidates = self.settings.components
        found = np.full((len(candidates), max(1, len(parts))), -math.inf)
        for row, count in enumerate(candidates):
            for fold, part in enumerate(parts):
                rest = np.concatenate([seen[i] for i in range(len(seen)) if i not in part])
                if max(2, count) <= len(rest):
                    out = np.concatenate([seen[index] for index in part])
                    found[row, fold] = self._mixture(count, rest).score(out)
            watch("mixture", row + 1, len(candidates), components=count, held=found[row].mean())
        known = [row for row in range(len(candidates)) if np.isfinite(found[row]).all()]
        if not known:
            return candidates[0]
        behind = found[known][found[known].mean(1).argmax()] - found[known]
        # As likely, but for what differs by chance from one part of the volumes to the next.
        chance = behind.std(1, ddof=1) / math.sqrt(len(parts))
        return candidates[known[int((behind.mean(1) <= chance).argmax())]]

    def _mixture(self, count: int, seen: np.ndarray) -> GaussianMixture:
        made = GaussianMixture(
            count, reg_covar=self.settings.ridge, random_state=self.seed, max_iter=300, tol=1e-3
        )
        return made.fit(seen)
