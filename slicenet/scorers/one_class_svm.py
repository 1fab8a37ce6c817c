"""Which side of a boundary around healthy vectors one lies on (Schoelkopf et al., 2001).

Several small machines, each on vectors of its own, as with siamese auto-encoders (Pinon et al.,
ISBI 2023).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.search import ROWS, squares
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch

TOLERANCE = 1e-6  # of the solver; with 1e-3 the order of vectors shows in the third digit


@dataclass(frozen=True)
class OneClassSvmSettings:
    """Settings of `OneClassSvmScorer`."""

    members: int = 5  # machines whose mean is the score
    each: int = 500  # healthy vectors for a machine; of every volume as many, all machines together
    nu: float = 0.03  # largest share of them that a boundary leaves outside
    gamma: float = 0.0  # of the kernel exp(-gamma d²); 0: 1 / (channels x variance), per machine
    standardise: bool = True  # channels by their healthy spread

    def __post_init__(self) -> None:
        if self.members < 1 or self.each < 2:
            raise ConfigError("members must be from 1 and each from 2", "E_SETTING")
        if not 0 < self.nu <= 1 or self.gamma < 0:
            raise ConfigError("nu must be within 0 to 1 and gamma not negative", "E_SETTING")


@final
class OneClassSvmScorer(Scorer):
    """Minus the mean decision of the machines: below 0 within their boundaries, above 0 beyond."""

    settings: OneClassSvmSettings
    support: Tensor  # [S, C] float32, support vectors of all machines, on the scale of `standard`
    weight: Tensor  # [S] float32, their share in the mean decision
    gamma: Tensor  # [S] float32, of the kernel of the machine that each is from
    offset: Tensor  # [] float32, mean intercept

    def __init__(self, settings: OneClassSvmSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        for name in ("support", "weight", "gamma"):
            self.register_buffer(name, torch.empty(0))
        self.register_buffer("offset", torch.zeros(()))

    def fit(self, maps: Iterable[FeatureMap], watch: Watch) -> None:
        sample = draw_sample(maps, self.settings.members * self.settings.each, self.seed)
        self.standard.fit(sample)
        order = torch.randperm(len(sample.vectors), generator=drawing(self.seed, 0, 0))
        shuffled = self.standard(sample.vectors[order])
        members = min(self.settings.members, len(shuffled))
        machines = []
        for done, vectors in enumerate(shuffled.tensor_split(members), start=1):
            machines.append(self._machine(vectors))
            watch("one-class svm", done, members)
        support, weight, gamma, offset = zip(*machines, strict=True)
        # A mean of sums is one sum: scoring need not know whose a support vector is.
        self.support, self.weight = torch.cat(support), torch.cat(weight) / members
        self.gamma, self.offset = torch.cat(gamma), torch.stack(offset).mean()

    def score(self, features: FeatureMap) -> Tensor:
        parts = self.standard(features.vectors).split(ROWS)
        return torch.cat([self._decision(part) for part in parts]).neg()

    def _machine(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Support vectors, their dual coefficients and kernel, [S, …], and the intercept, []."""
        wide = vectors.cpu().double().numpy()
        gamma = self.settings.gamma or 1 / (wide.shape[1] * (wide.var() or 1.0))
        machine = OneClassSVM(nu=self.settings.nu, gamma=gamma, tol=TOLERANCE).fit(wide)
        return (
            vectors.new_tensor(machine.support_vectors_),
            vectors.new_tensor(machine.dual_coef_[0]),
            vectors.new_full((len(machine.support_),), gamma),
            vectors.new_tensor(machine.intercept_[0]),
        )

    def _decision(self, vectors: Tensor) -> Tensor:
        kernel = squares(vectors, self.support).mul_(-self.gamma).exp_()
        return kernel @ self.weight + self.offset
