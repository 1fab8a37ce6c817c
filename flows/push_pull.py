"""The losses that train a flow: likelihood, and what keeps strange vectors unlikely.

All take log densities in nats per channel: healthy [N], strange [M].
"""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import softplus, triplet_margin_loss

from slicenet.flows.boundary import Boundary, BoundarySettings
from slicenet.flows.focal import healthy_weights, strange_weights

LOSSES = ("spp", "spp_bgad", "triplet", "triplet_plos", "hinge", "none")
LIKELIHOODS = ("softplus", "nll")
FOCAL = ("bgad", "clamped", "none")


@final
@dataclass(frozen=True)
class PushPullSettings:
    """Settings of `push_pull`."""

    loss: str = "spp"  # or spp_bgad, triplet, triplet_plos, hinge, none
    likelihood: str = "softplus"  # of the negative log density, as published; or nll
    margin: float = 1.0  # nats per channel from the boundary down to where pushing ends
    normaliser: float = 10.0  # log densities are divided by this in spp and spp_bgad
    focal: str = "bgad"  # weights of spp_bgad, as published; or clamped, or none
    boundary: BoundarySettings = BoundarySettings()

    def __post_init__(self) -> None:
        for name, have in (("loss", LOSSES), ("likelihood", LIKELIHOODS), ("focal", FOCAL)):
            if getattr(self, name) not in have:
                raise ValueError(f"{name}: have {', '.join(have)}, got {getattr(self, name)}")
        if self.margin < 0 or self.normaliser <= 0:
            raise ValueError("margin cannot be negative, and normaliser must be positive")


def push_pull(
    healthy: Tensor,
    strange: Tensor,
    boundary: Boundary,
    settings: PushPullSettings,
    generator: torch.Generator,
) -> Tensor:
    """The loss of a batch, one number; in both triplets each strange vector is that of its place.

    `boundary` has seen this batch already; one that has seen nothing leaves the likelihood alone.
    """
    surprise = softplus(-healthy) if settings.likelihood == "softplus" else -healthy
    likelihood, level = _mean(surprise), boundary.level
    match settings.loss:
        case "spp" if level is not None:
            return likelihood + semi_push_pull(healthy, strange, level, settings)
        case "hinge" if level is not None:
            return likelihood + full_push_pull(healthy, strange, level, settings.margin)
        case "spp_bgad" if level is not None and len(strange):
            weighted = _mean(_focal(healthy, strange, settings)[0] * surprise)
            return weighted + published(healthy, strange, level, settings)
        case "triplet" if len(strange):
            return likelihood + triplet(healthy, strange, settings.margin, generator)
        case "triplet_plos" if len(strange):
            return likelihood + triplet_plos(healthy, strange, settings.margin, generator)
    return likelihood


def semi_push_pull(
    healthy: Tensor, strange: Tensor, level: Tensor, settings: PushPullSettings
) -> Tensor:
    """Pull the unlikely healthy to the boundary, push the likely strange a margin below it.

    Means are over all vectors, so that the term fades as fewer violate; a slope is 1/normaliser.
    """
    pull = (level - healthy).relu()
    push = (strange - (level - settings.margin)).relu()
    return (_mean(pull) + _mean(push)) / settings.normaliser


def published(
    healthy: Tensor, strange: Tensor, level: Tensor, settings: PushPullSettings
) -> Tensor:
    """Semi-Push-Pull of Yao et al. (CVPR 2023), with focal weights.

    Means are over the violating, so that the last one is pushed as hard as all were; and the
    weight of a strange vector has a pole at a log density of 0 unless it is clamped.
    """
    floor = level - settings.margin
    weights = _focal(healthy, strange, settings)
    pull, push = weights[0] * (level - healthy), weights[1] * (strange - floor)
    violating = _mean(pull[healthy <= level]) + _mean(push[strange >= floor])
    return violating / settings.normaliser


def full_push_pull(healthy: Tensor, strange: Tensor, level: Tensor, margin: float) -> Tensor:
    """SimpleNet's loss about a boundary: all healthy go half a margin above it, strange below."""
    above, below = level + margin / 2, level - margin / 2
    return _mean((above - healthy).relu()) + _mean((strange - below).relu())


def triplet(healthy: Tensor, strange: Tensor, margin: float, generator: torch.Generator) -> Tensor:
    """Each strange vector a margin less likely than its healthy one, beyond the healthy spread."""
    assert healthy.shape == strange.shape, "one strange vector for each healthy one"
    other = _shuffled(healthy, generator)
    return _mean(((healthy - other).abs() - (healthy - strange) + margin).relu())


def triplet_plos(
    healthy: Tensor, strange: Tensor, margin: float, generator: torch.Generator
) -> Tensor:
    """What the code published with the PLOS paper computes: the batch is taken for one vector.

    So the margin of one vector is that over √N, and strange vectors may as well be *more* likely.
    """
    assert healthy.shape == strange.shape, "one strange vector for each healthy one"
    return triplet_margin_loss(healthy, _shuffled(healthy, generator), strange, margin=margin)


def _shuffled(healthy: Tensor, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(healthy), generator=generator, device=generator.device)
    return healthy[order.to(healthy.device)]


def _mean(values: Tensor) -> Tensor:
    # A plain mean of nothing is NaN.
    return values.sum() / max(1, len(values))


def _focal(healthy: Tensor, strange: Tensor, settings: PushPullSettings) -> tuple[Tensor, Tensor]:
    if settings.focal == "none":
        return torch.ones_like(healthy), torch.ones_like(strange)
    scale, clamped = settings.normaliser, settings.focal == "clamped"
    return healthy_weights(healthy / scale), strange_weights(strange / scale, clamped)
