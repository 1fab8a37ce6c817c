"""Strange vectors made of healthy ones by noise."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

GROWTH = 1.1  # from one scale of noise to the next, as published


@final
@dataclass(frozen=True)
class NoiseSettings:
    """Settings of `noisy`."""

    unit: str = "spread"  # of sigma: the spread of each channel; `absolute` is published
    sigma: float = 0.5  # published: 0.08, absolute
    scales: int = 1  # sigma, sigma * 1.1, sigma * 1.1², …: each vector draws one of them

    def __post_init__(self) -> None:
        if self.unit not in ("spread", "absolute"):
            raise ValueError(f"unit: have absolute, spread, got {self.unit}")
        if self.sigma <= 0 or self.scales < 1:
            raise ValueError("sigma and scales must be positive")


def noisy(
    vectors: Tensor, unit: Tensor, settings: NoiseSettings, generator: torch.Generator
) -> Tensor:
    """Vectors [N, C] and Gaussian noise, a sigma of 1 being `unit` [C] in each channel."""
    drawn_on = generator.device
    noise = torch.randn(vectors.shape, generator=generator, device=drawn_on)
    steps = torch.randint(settings.scales, (len(vectors), 1), generator=generator, device=drawn_on)
    noise = (noise * settings.sigma * GROWTH**steps).to(vectors)
    return vectors + noise * unit.to(vectors)
