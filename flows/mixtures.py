"""Mixtures of Gaussians or of Student's t: their densities, and what memberships make of them."""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

TINY = 1e-12  # vectors of a component that has none


@final
@dataclass(frozen=True, eq=False)
class Mixture:
    """K components over vectors of C channels, in double precision."""

    weights: Tensor  # [K], which sum to 1
    means: Tensor  # [K, C]
    factors: Tensor  # [K, C, C], lower Cholesky factors; [K, C], deviations, where diagonal
    freedom: Tensor  # [K], degrees of freedom of Student's t; empty for Gaussians

    def squares(self, vectors: Tensor) -> Tensor:
        """Squared Mahalanobis distances of vectors [N, C], [N, K]."""
        apart = vectors - self.means[:, None]  # [K, N, C]
        if self.factors.ndim == 2:
            return (apart / self.factors[:, None]).square().sum(2).T
        white = torch.linalg.solve_triangular(self.factors, apart.mT, upper=False)
        return white.square().sum(1).T

    def parts(self, vectors: Tensor) -> Tensor:
        """Logarithms of each component's weighted density, [N, K], in nats."""
        channels = vectors.shape[1]
        edges = self.factors if self.factors.ndim == 2 else self.factors.diagonal(dim1=1, dim2=2)
        volume = edges.log().sum(1)  # [K], half the log determinant
        squares = self.squares(vectors)
        if not self.freedom.numel():
            log = -0.5 * (squares + channels * math.log(2 * math.pi)) - volume
            return self.weights.log() + log
        half, whole = self.freedom / 2, (self.freedom + channels) / 2
        height = torch.lgamma(whole) - torch.lgamma(half)
        height = height - channels / 2 * (math.pi * self.freedom).log()
        log = height - volume - whole * (squares / self.freedom).log1p()
        return self.weights.log() + log

    def log_density(self, vectors: Tensor) -> Tensor:
        """Of vectors [N, C], [N], in nats; each is judged alone, whatever comes with it."""
        return self.parts(vectors).logsumexp(1)


@final
@dataclass(frozen=True, eq=False)
class Sums:
    """What is enough to know of vectors and their memberships; those of two parts add up."""

    total: Tensor  # [], vectors
    counts: Tensor  # [K]
    first: Tensor  # [K, C]
    second: Tensor  # [K, C, C]

    @classmethod
    def of(cls, vectors: Tensor, memberships: Tensor) -> "Sums":
        """Of vectors [N, C] and their memberships [N, K], with gradients to both."""
        vectors, memberships = vectors.double(), memberships.double()
        weighted = memberships.T[:, :, None] * vectors  # [K, N, C]
        total = memberships.new_tensor(float(len(vectors)))
        return cls(total, memberships.sum(0), weighted.sum(1), weighted.mT @ vectors)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.total + other.total, self.counts + other.counts,
            self.first + other.first, self.second + other.second,
        )  # fmt: skip

    def covariances(self) -> Tensor:
        """Of each component around its own mean, [K, C, C]."""
        counts = self.counts.clamp(min=TINY)[:, None]
        means = self.first / counts
        return self.second / counts[:, :, None] - means[:, :, None] * means[:, None]

    def mixture(self, ridge: float) -> Mixture:
        """Gaussians with these moments, `ridge` added to every variance."""
        means = self.first / self.counts.clamp(min=TINY)[:, None]
        eye = torch.eye(means.shape[1], dtype=means.dtype, device=means.device)
        factors = torch.linalg.cholesky(self.covariances() + ridge * eye)
        return Mixture(self.counts / self.total, means, factors, means.new_zeros(0))
