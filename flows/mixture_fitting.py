"""Mixtures by expectation and maximisation (Dempster et al., 1977; Peel and McLachlan, 2000)."""

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from slicenet.flows.mixtures import Mixture

KINDS = ("gaussian", "student")
COVARIANCES = ("full", "diagonal")
LLOYD = 10  # rounds that settle the first centres
FREEDOM = (1.0, 200.0)  # degrees, the heaviest tails and those that are a Gaussian's in effect
HALVINGS = 50  # of that span, on a logarithmic scale


@final
@dataclass(frozen=True)
class FittingSettings:
    """Settings of `fit_mixture`."""

    kind: str = "gaussian"  # or student, whose tails outliers among the healthy do not widen
    covariance: str = "full"  # or diagonal
    freedom: float = 0.0  # degrees of every Student's t; 0: learnt, each component its own
    ridge: float = 1e-3  # added to every variance
    rounds: int = 100
    tolerance: float = 1e-3  # nats a vector, the gain below which it stops

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.covariance not in COVARIANCES:
            raise ValueError(
                f"kind: have {', '.join(KINDS)}; covariance: have {', '.join(COVARIANCES)}"
            )
        if self.ridge <= 0 or self.tolerance <= 0 or self.rounds < 1 or self.freedom < 0:
            raise ValueError(
                "ridge and tolerance must be positive, rounds count from 1, freedom not negative"
            )


def fit_mixture(
    vectors: Tensor, components: int, settings: FittingSettings, draw: torch.Generator
) -> Mixture:
    """The mixture of so many components that vectors [N, C], in double precision, lead to."""
    mixture = begin(vectors, components, settings, draw)
    last = -torch.inf
    for _ in range(settings.rounds):
        mixture, reached = improve(mixture, vectors, settings)
        if reached - last < settings.tolerance:
            break
        last = reached
    return mixture


def begin(
    vectors: Tensor, components: int, settings: FittingSettings, draw: torch.Generator
) -> Mixture:
    """A first mixture: the moments of what lies nearest to each of a few centres."""
    centres = _spread_out(vectors, components, draw)
    for _ in range(LLOYD):
        members = _members(vectors, centres)
        counts = members.sum(0)[:, None]
        centres = torch.where(counts > 0, members.T @ vectors / counts.clamp(min=1), centres)
    members = _members(vectors, centres)
    degrees = vectors.new_full((components,), settings.freedom or 10.0)
    student = settings.kind == "student"
    return _moments(vectors, members, members, settings, degrees[: components * student])


def improve(mixture: Mixture, vectors: Tensor, settings: FittingSettings) -> tuple[Mixture, float]:
    """One round; the mixture after it, and the mean log density under the one before it."""
    parts = mixture.parts(vectors)
    density = parts.logsumexp(1, keepdim=True)
    members = (parts - density).exp()  # [N, K]
    weighted, degrees = members, mixture.freedom
    if degrees.numel():
        whole = degrees + vectors.shape[1]
        trust = whole / (degrees + mixture.squares(vectors))  # [N, K], less for the far
        weighted = members * trust
        if not settings.freedom:
            counts = members.sum(0).clamp(min=torch.finfo(parts.dtype).tiny)
            surplus = (members * (trust.log() - trust)).sum(0) / counts
            degrees = _degrees(surplus + torch.digamma(whole / 2) - (whole / 2).log())
    return _moments(vectors, members, weighted, settings, degrees), density.mean().item()


def _moments(
    vectors: Tensor, members: Tensor, weighted: Tensor, settings: FittingSettings, freedom: Tensor
) -> Mixture:
    # As scikit-learn has it: a component that has lost all vectors keeps a place without weight.
    least = 10 * torch.finfo(vectors.dtype).eps
    counts = members.sum(0) + least
    means = weighted.T @ vectors / (weighted.sum(0) + least)[:, None]
    mixture = Mixture(counts / counts.sum(), means, means.new_zeros(0), freedom)
    apart = vectors - means[:, None]  # [K, N, C]
    drawn = apart * weighted.T[:, :, None]
    if settings.covariance == "diagonal":
        variances = (drawn * apart).sum(1) / counts[:, None] + settings.ridge
        return replace(mixture, factors=variances.sqrt())
    eye = torch.eye(vectors.shape[1], dtype=vectors.dtype)
    covariances = drawn.mT @ apart / counts[:, None, None] + settings.ridge * eye
    return replace(mixture, factors=torch.linalg.cholesky(covariances))


def _degrees(rest: Tensor) -> Tensor:
    """Where -digamma(x / 2) + log(x / 2) + 1 + `rest` [K] is 0: it only falls."""
    low, high = (torch.full_like(rest, end).log() for end in FREEDOM)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        half = middle.exp() / 2
        above = half.log() - torch.digamma(half) + 1 + rest > 0
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return ((low + high) / 2).exp()


def _spread_out(vectors: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Some of the vectors, each drawn by its squared distance to those before (k-means++)."""
    chosen = [int(torch.randint(len(vectors), (), generator=draw))]
    least = torch.full_like(vectors[:, 0], torch.inf)
    while len(chosen) < count:
        least = least.minimum((vectors - vectors[chosen[-1]]).square().sum(1))
        wheel = least.cumsum(0)
        ball = torch.rand((), generator=draw, dtype=wheel.dtype) * wheel[-1]
        chosen.append(min(int(torch.searchsorted(wheel, ball)), len(vectors) - 1))
    return vectors[chosen]


def _members(vectors: Tensor, centres: Tensor) -> Tensor:
    """1 at the nearest centre, else 0, [N, K]."""
    nearest = torch.cdist(vectors, centres).argmin(1)
    return torch.nn.functional.one_hot(nearest, len(centres)).to(vectors)
