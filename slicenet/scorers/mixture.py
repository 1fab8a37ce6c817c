"""How unlikely a vector is under a mixture of Gaussians, or of Student's t with heavier tails."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.mixture_fitting import FittingSettings, fit_mixture
from slicenet.flows.mixtures import Mixture
from slicenet.savepoint import Savepoint
from slicenet.scorers.sample import Sample, draw_sample
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch

ROWS = 4096  # vectors at once, so that memory stays flat


@dataclass(frozen=True)
class MixtureSettings:
    """Settings of `MixtureScorer`."""

    components: tuple[int, ...] = (1, 2, 4, 8)  # of which left-out subjects choose one
    folds: int = 3  # in which subjects are left out, each once
    kept: int = 8000  # healthy vectors, as many of every volume
    standardise: bool = True  # channels by their healthy spread
    fitting: FittingSettings = FittingSettings()

    def __post_init__(self) -> None:
        if not self.components or list(self.components) != sorted(set(self.components)):
            raise ConfigError("components: expected rising numbers", "E_SETTING")
        if self.components[0] < 1 or self.folds < 2 or self.kept < 2:
            raise ConfigError("components count from 1, folds and kept from 2", "E_SETTING")


@final
class MixtureScorer(Scorer):
    """Minus the log density, in nats."""

    settings: MixtureSettings
    weights: Tensor  # [K] float64
    means: Tensor  # [K, C] float64, on the scale of `standard`
    factors: Tensor  # [K, C, C] float64, or [K, C] where diagonal
    freedom: Tensor  # [K] float64, empty for Gaussians

    def __init__(self, settings: MixtureSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        for name in ("weights", "means", "factors", "freedom"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        sample = draw_sample(maps, self.settings.kept, self.seed)
        self.standard.fit(sample)
        vectors = self.standard(sample.vectors).cpu().double()
        count = self._chosen(vectors, sample, watch)
        found = fit_mixture(vectors, count, self.settings.fitting, self._draw(count, 0))
        device = self.weights.device
        self.weights, self.means = found.weights.to(device), found.means.to(device)
        self.factors, self.freedom = found.factors.to(device), found.freedom.to(device)

    def score(self, features: FeatureMap) -> Tensor:
        mixture = Mixture(self.weights, self.means, self.factors, self.freedom)
        parts = self.standard(features.vectors).double().split(ROWS)
        return torch.cat([mixture.log_density(part) for part in parts]).neg().float()

    def _chosen(self, vectors: Tensor, sample: Sample, watch: Watch) -> int:
        """The fewest components that subjects left out do not find less likely, within chance.

        The highest likelihood would take the largest number as soon as all are alike.
        """
        known = int(sample.owner.max()) + 1
        # A single subject is parted itself.
        groups = sample.owner if known > 1 else torch.arange(len(vectors))
        order = torch.randperm(int(groups.max()) + 1, generator=drawing(self.seed, 0, 0))
        fold = order[groups] % min(self.settings.folds, len(order))
        smallest = len(vectors) - int(torch.bincount(fold).max())
        possible = [count for count in self.settings.components if count <= len(vectors)] or [1]
        tried = [count for count in possible if count <= smallest]
        if len(tried) < 2:
            return possible[0]
        rows = []
        for done, count in enumerate(tried, start=1):
            rows.append(self._held_out(vectors, fold, count))
            watch("mixture", done, len(tried), components=count, held=rows[-1].mean().item())
        return tried[fewest(torch.stack(rows))]

    def _held_out(self, vectors: Tensor, fold: Tensor, count: int) -> Tensor:
        """Mean log density of the vectors of each fold under what the others lead to, [folds]."""
        found = []
        for one in range(int(fold.max()) + 1):
            draw = self._draw(count, one + 1)
            fitted = fit_mixture(vectors[fold != one], count, self.settings.fitting, draw)
            found.append(fitted.log_density(vectors[fold == one]).mean())
        return torch.stack(found)

    def _draw(self, count: int, fold: int) -> torch.Generator:
        return drawing(self.seed, 1, count, fold)


def fewest(held: Tensor) -> int:
    """First row of held-out likelihoods [T, folds] that is behind the best by no more than chance.

    Chance is the standard error of the difference, from one fold to the next.
    """
    behind = held[held.mean(1).argmax()] - held
    chance = behind.std(1) / math.sqrt(held.shape[1])
    return int((behind.mean(1) <= chance).int().argmax())
