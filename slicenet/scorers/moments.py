"""Count, mean and scatter of vectors in one pass, place by place (Welford, 1962; Chan, 1979)."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

TOGETHER = 2048  # places


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of P places in double precision; two of them merge into that of all their vectors.

    The scatter may be kept for each place or, where only their sum is wanted, for all together.
    """

    count: Tensor  # [P]
    mean: Tensor  # [P, C]
    scatter: Tensor  # [P or 1, C, C], outer products of deviations from the mean of the place

    @classmethod
    def empty(cls, places: int, like: Tensor, summed: bool) -> "Moments":
        """Of no vector at all, on the device and with the channels of `like` [N, C]."""
        channels = like.shape[1]
        zeros = like.new_zeros(places, channels, dtype=torch.float64)
        scatter = zeros.new_zeros(1 if summed else places, channels, channels)
        return cls(zeros[:, 0].clone(), zeros, scatter)

    @classmethod
    def of(cls, vectors: Tensor) -> "Moments":
        """Of vectors [N, C] at one place."""
        vectors = vectors.double()
        mean = vectors.mean(0)
        centred = vectors - mean
        count = vectors.new_full((1,), float(len(vectors)))
        return cls(count, mean[None], (centred.T @ centred)[None])

    def merge(self, other: "Moments") -> "Moments":
        """Of the vectors of both."""
        count = self.count + other.count
        share = other.count / count.clamp(min=1)  # 0 where neither has seen a vector
        delta = other.mean - self.mean
        between = self._outer(delta, self.count * share)
        scatter = self.scatter + other.scatter + between
        return Moments(count, self.mean + delta * share[:, None], scatter)

    def add(self, vectors: Tensor, places: Tensor) -> None:
        """Take one vector [N, C] at each of N different places, in place."""
        seen = self.count[places]
        delta = vectors.double() - self.mean[places]
        weight = seen / (seen + 1)
        if len(self.scatter) == 1:
            self.scatter[:] += self._outer(delta, weight)
        else:  # some places at a time, so that memory holds little beside the scatter itself
            parts = (one.split(TOGETHER) for one in (places, delta, weight))
            for rows, off, share in zip(*parts, strict=True):
                self.scatter[rows] += self._outer(off, share)
        self.mean[places] += delta / (seen + 1)[:, None]
        self.count[places] += 1

    def within(self) -> Tensor:
        """Covariance around each place's own mean, all places together, [C, C]."""
        freedom = (self.count - 1).clamp(min=0).sum()
        return self.scatter.sum(0) / freedom.clamp(min=1)

    def pooled(self) -> "Moments":
        """Of all vectors as if at one place."""
        total = self.count.sum()
        mean = (self.mean * self.count[:, None]).sum(0) / total.clamp(min=1)
        delta = (self.mean - mean) * self.count.sqrt()[:, None]
        return Moments(total[None], mean[None], (self.scatter.sum(0) + delta.T @ delta)[None])

    def _outer(self, delta: Tensor, weight: Tensor) -> Tensor:
        """Weighted outer products of `delta` [N, C], as the scatter keeps them."""
        if len(self.scatter) == 1:
            return ((delta * weight[:, None]).T @ delta)[None]
        return delta[:, :, None] * (delta * weight[:, None])[:, None, :]


def mahalanobis(centred: Tensor, factors: Tensor) -> Tensor:
    """Length of `centred` [N, C] under covariances with Cholesky `factors` [N or 1, C, C], [N]."""
    if len(factors) == 1:
        solved = torch.linalg.solve_triangular(factors[0], centred.T, upper=False).T
    else:
        solved = torch.linalg.solve_triangular(factors, centred[:, :, None], upper=False)[:, :, 0]
    return solved.square().sum(1).sqrt()
