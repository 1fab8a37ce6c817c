"""The score of noisy samples, at any level of noise, around any network (Vincent, 2011)."""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError

CODE = 32  # channels that tell a network the level
RATES = (0.25, 8.0)  # radians for each e-fold of the noise, the slowest and the fastest


@dataclass(frozen=True)
class NoiseLevelSettings:
    """Levels of noise, geometric; in the unit of what is looked at."""

    count: int = 10  # at which norms are taken
    least: float = 0.1
    most: float = 5.0

    def __post_init__(self) -> None:
        if self.count < 2 or not 0 < self.least < self.most:
            raise ConfigError("levels: count from 2, and 0 < least < most", "E_SETTING")

    def levels(self) -> Tensor:
        """From the least to the most, [L]."""
        ends = math.log(self.least), math.log(self.most)
        return torch.linspace(*ends, self.count, dtype=torch.float64).exp().float()

    def between(self, shares: Tensor) -> Tensor:
        """Levels at shares from 0 to 1 of the way, on a logarithmic scale."""
        return self.least * (self.most / self.least) ** shares


@final
class ScoreModel(nn.Module):
    """Scores times the noise: what `s` says of x at a level, as `level * s(x, level)`.

    A network that says 0 leaves the score of one Gaussian of the data's own scale; what it says is
    how the data differ from that, at any level about as large (Karras et al., 2022).
    """

    scale: Tensor  # [] root mean square of what is healthy

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scale", torch.ones(()))

    def forward(self, noisy: Tensor, levels: Tensor, context: Tensor) -> Tensor:
        """Of samples [B, C, *] at levels [B], with what is known beside them [B, K, *]."""
        wide = levels.view(-1, *[1] * (noisy.ndim - 1))
        whole = (wide.square() + self.scale.square()).sqrt()
        said = self.network(torch.cat((noisy / whole, context), 1), level_code(levels))
        return (said * self.scale - noisy * wide / whole) / whole

    def surprise(self, clean: Tensor, levels: Tensor, context: Tensor, noise: Tensor) -> Tensor:
        """How far the score lies from denoising's, squared, in the network's own unit, [B, C, *].

        Published, each level counts as its noise squared, which all but leaves out the largest
        ones; here all count alike. The best score at each level is the same.
        """
        wide = levels.view(-1, *[1] * (clean.ndim - 1))
        found = self(clean + wide * noise, levels, context)
        weight = (wide.square() + self.scale.square()) / self.scale.square()
        return weight * (found + noise).square()


def level_code(levels: Tensor) -> Tensor:
    """Sines and cosines of the logarithm of levels [B], [B, CODE]."""
    ends = math.log(RATES[0]), math.log(RATES[1])
    rates = torch.linspace(*ends, CODE // 2, device=levels.device).exp()
    phases = levels.log()[:, None] * rates
    return torch.cat((phases.sin(), phases.cos()), 1)
