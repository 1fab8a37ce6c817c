"""Channels of one scale, so that no one of them decides a distance."""

from typing import final

import torch
from torch import Tensor, nn

from slicenet.scorers.sample import Sample

# Of the mean spread of channels. One that hardly ever changes in healthy brains would outvote all
# others the moment it does.
LEAST = 0.01


@final
class Standard(nn.Module):
    """Vectors around the healthy mean; in healthy spreads of each channel, if they are scaled."""

    mean: Tensor  # [C] float64
    spread: Tensor  # [C] float64, 1 where nothing is scaled

    def __init__(self, scaled: bool) -> None:
        super().__init__()
        self.scaled = scaled
        for name in ("mean", "spread"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def fit(self, sample: Sample) -> None:
        """Take the scale of all vectors that the sample was drawn from."""
        device = self.mean.device
        spread = torch.ones_like(sample.spread)
        if self.scaled:
            least = LEAST * sample.spread.square().mean().sqrt().item()
            spread = sample.spread.clamp(min=max(least, 1e-6))
        self.mean, self.spread = sample.mean.to(device), spread.to(device)

    def forward(self, vectors: Tensor) -> Tensor:
        """Where vectors [N, C] lie, [N, C] float32, on the device of the scale."""
        wide = vectors.to(self.mean.device, torch.float64)
        return ((wide - self.mean) / self.spread).float()
