"""A normalizing flow over vectors, conditioned on another vector."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import numpy as np
import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock
from torch import Tensor, nn


@final
class ConditionalFlow(nn.Module):
    """Density of a vector given a condition, as coupling blocks onto a unit Gaussian."""

    def __init__(
        self, channels: int, condition: int, blocks: int, clamp: float, seed: int = 0
    ) -> None:
        super().__init__()
        self.channels = channels
        self.chain = SequenceINN(channels)
        with _drawing_from(seed):
            for _ in range(blocks):
                self.chain.append(
                    AllInOneBlock,
                    cond=0,
                    cond_shape=(condition,),
                    subnet_constructor=_subnet,
                    affine_clamping=clamp,
                    global_affine_type="SOFTPLUS",
                    permute_soft=True,
                )

    def log_density(self, vectors: Tensor, condition: Tensor) -> Tensor:
        """Log density per channel of vectors [N, C] given conditions [N, P], [N]."""
        latent, log_det = self.chain(vectors, [condition])
        gaussian = -0.5 * (latent.square().sum(1) + self.channels * math.log(2 * math.pi))
        return (gaussian + log_det) / self.channels


@contextmanager
def _drawing_from(seed: int) -> Iterator[None]:
    """Draw the block's numbers from `seed`, and leave both global generators as they were."""
    # FrEIA's soft permutations come from NumPy's global generator, the layers from torch's.
    state = np.random.get_state()
    np.random.seed(seed)
    # The default generator only: `torch.manual_seed` would reseed the accelerators as well.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)


def _subnet(channels_in: int, channels_out: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(channels_in, channels_in), nn.ReLU(), nn.Linear(channels_in, channels_out)
    )
