"""Random numbers of one generator, wherever the tensors lie that they are for."""

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor


@final
class Draws:
    """Every number comes from `generator`, in the order asked, and lies on `device`."""

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator = generator
        self.device = device

    def uniform(self, shape: Sequence[int], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Even between `low` and `high`."""
        drawn = torch.rand(*shape, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device) * (high - low) + low

    def log_uniform(self, shape: Sequence[int], low: float, high: float) -> Tensor:
        """Even between `low` and `high` on a logarithmic scale."""
        return self.uniform(shape, math.log(low), math.log(high)).exp()

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Of mean 0 and deviation 1."""
        drawn = torch.randn(*shape, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device)

    def chance(self, shape: Sequence[int], share: float) -> Tensor:
        """True for `share` of them."""
        return self.uniform(shape) < share

    def signs(self, shape: Sequence[int]) -> Tensor:
        """-1 or 1."""
        return self.chance(shape, 0.5).float() * 2 - 1

    def counts(self, shape: Sequence[int], mean: float) -> Tensor:
        """How many of what happens `mean` times on average, each on its own: Poisson's, int64."""
        drawn = torch.poisson(
            torch.full(tuple(shape), mean, device=self.generator.device), self.generator
        )
        return drawn.long().to(self.device)

    def below(self, ends: Tensor) -> Tensor:
        """A whole number from 0 to below each of `ends`, int64; 0 where that is 0."""
        drawn = (self.uniform(ends.shape).double() * ends).long()
        return drawn.minimum(ends - 1).clamp(min=0)
