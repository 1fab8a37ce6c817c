"""Focal weights of Semi-Push-Pull (Yao et al., CVPR 2023), of log densities over a normaliser."""

import torch
from torch import Tensor

LARGEST = 10.0  # weight of a strange vector, where the weights are clamped


def healthy_weights(level: Tensor) -> Tensor:
    """More than 1 for the unlikely, [N]; a constant to the gradient."""
    level = level.detach()
    unlikely = 11.7 * (1 - level.exp()).clamp(min=0).sqrt() * level.abs()
    return torch.where(level > -0.2, torch.ones_like(level), unlikely)


def strange_weights(level: Tensor, clamped: bool) -> Tensor:
    """More than 1 for the likely, [M], as published without bound about 0; also a constant."""
    level = level.detach()
    likely = 0.53 * (1 + level.exp()).square() / level.abs()
    weights = torch.where(level <= -1, torch.ones_like(level), likely)
    return weights.clamp(max=LARGEST) if clamped else weights
