"""Categories made continuous by Gumbel noise, and the scores of the densities that this gives.

Published code (arXiv 2304.03220) divides noise by the temperature as it does logits. That is a
change of unit: at every level a category can be read off, and no neighbour is needed to know it.
Here the logits alone are divided, so that a high temperature hides them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

LEAST = torch.finfo(torch.float64).tiny
HIGHEST = 88.0  # logarithm of what single precision holds


@final
@dataclass(frozen=True)
class Rung:
    """One level of noise: what divides the logits, and what divides them with their noise."""

    logits: float
    points: float


@final
@dataclass(frozen=True)
class LadderSettings:
    """Settings of the levels, whose temperatures are geometric."""

    levels: int = 4  # 20 as published
    # From the most noise to the least; 20 to 2 as published. At 2 a category is hardly hidden, and
    # what its neighbours say against it hardly counts.
    temperatures: tuple[float, float] = (10.0, 3.5)
    floor: float = 1e-5  # probability of every category that is not there
    published: bool = False  # divide the noise as well; nothing is then strange but by chance

    def __post_init__(self) -> None:
        if self.levels < 1 or len(self.temperatures) != 2 or min(self.temperatures) <= 0:
            raise ValueError("levels count from 1, and two temperatures must be positive")
        if not 0 < self.floor < 1:
            raise ValueError("floor must be within 0 to 1")
        least = -math.log(self.floor) / HIGHEST
        if (1.0 if self.published else min(self.temperatures)) < least:
            raise ValueError(
                f"temperatures must be {least:.3g} or more with a floor of {self.floor:g}: below, "
                "what is there outweighs the rest by more than single precision holds"
            )

    def rungs(self) -> list[Rung]:
        """The levels, from the most noise to the least."""
        places = torch.linspace(0, 1, self.levels, dtype=torch.float64)
        low, high = (math.log(end) for end in self.temperatures)
        found = (low + (high - low) * places).exp().tolist()
        return [Rung(1.0, one) if self.published else Rung(one, 1.0) for one in found]


def logits(codes: Tensor, kinds: int, floor: float) -> Tensor:
    """Of integer codes [B, ...]: 0 for the one, log `floor` for all others, [B, K, ...]."""
    sure = torch.nn.functional.one_hot(codes.long(), kinds).movedim(-1, 1)
    return (1 - sure).float() * math.log(floor)


def gumbel(like: Tensor, draw: torch.Generator) -> Tensor:
    """Noise as large as `like`; the greatest sum with logits is a draw of their category."""
    chance = torch.rand(like.shape, generator=draw, dtype=torch.float64).clamp(min=LEAST)
    return -(-chance.log()).clamp(min=LEAST).log().to(like)


def relaxed(noisy: Tensor, temperature: float) -> Tensor:
    """Logits with noise [B, K, ...] as the logarithm of a point of the simplex, [B, K, ...]."""
    return (noisy / temperature).log_softmax(1)


def target(given: Tensor, points: Tensor, temperature: float) -> Tensor:
    """What a network has to tell of `points`: softmax(logits - temperature points), [B, K, ...]."""
    return (given - temperature * points).softmax(1)


def expected(belief: Tensor, points: Tensor, floor: float, rung: Rung) -> Tensor:
    """The target of `points` [B, K, ...] where the category is not known, [B, K, ...].

    `belief` is the log chance of each category by all but these points themselves. What they say
    is added in closed form: a network need not learn it, and without any network this is exact.
    """
    kinds = points.shape[1]
    gain = math.expm1(-math.log(floor) / rung.logits)  # of the category that is there, less 1
    plain = (-rung.points * points).softmax(1)
    whole = 1 + gain * plain  # [B, K, ...], what divides the target if that category is there
    chance = (belief - kinds * whole.log()).softmax(1) / whole
    return plain * (chance.sum(1, keepdim=True) + gain * chance)


def score(told: Tensor, temperature: float) -> Tensor:
    """Gradient of the log density by the points, from what is told [B, K, ...] of them."""
    return temperature * (told.shape[1] * told - 1)


def strangeness(told: Tensor, floor: float, rung: Rung) -> Tensor:
    """Length of the score, [B, ...], in lengths of that where another category is sure.

    Taken without noise, it is 0 where the own category is sure, and 1 where another one is.
    """
    kinds = told.shape[1]
    own, other = (torch.arange(kinds) == one for one in (0, kinds - 1))
    height = -math.log(floor) / rung.logits
    certain = (height * (other.double() - own.double())).softmax(0)[None]
    longest = float(score(certain, 1.0).norm()) or 1.0
    return score(told, 1.0).square().sum(1).sqrt() / longest


def blocks(values: Tensor, kinds: Sequence[int]) -> Sequence[Tensor]:
    """The channels [B, sum of kinds, ...] of each of several fields, as views."""
    return values.split(list(kinds), 1)
