"""A normalizing flow over vectors, conditioned on another vector."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock, InvertibleModule
from torch import Tensor, nn

from slicenet.flows.rotation import rotation
from slicenet.flows.spline import SplineBlock

COUPLINGS = ("affine", "spline")


@final
@dataclass(frozen=True)
class FlowSettings:
    """Settings of `ConditionalFlow`."""

    blocks: int = 8  # SimpleSliceNet as last published; 2 in its first code
    clamp: float = 1.9  # bound of each log scale
    hidden: float = 1.0  # width of a sub-net in widths of its input: 2 in CFLOW and BGAD
    seed: int = 0  # of the first weights and of the rotations
    coupling: str = "affine"  # or spline: rational-quadratic, as in Spatial-MSMA
    bins: int = 8  # of each spline
    reach: float = 6.0  # beyond which, either way, a spline changes nothing

    def __post_init__(self) -> None:
        if min(self.blocks, self.clamp, self.hidden, self.reach) <= 0:
            raise ValueError("blocks, clamp, hidden and reach must be positive")
        if self.coupling not in COUPLINGS:
            raise ValueError(f"coupling: have {', '.join(COUPLINGS)}; got {self.coupling!r}")
        if not 2 <= self.bins <= 64:
            raise ValueError("bins: expected 2 to 64")


@final
class ConditionalFlow(nn.Module):
    """Density of a vector given a condition, as coupling blocks onto a unit Gaussian.

    The rotations between the blocks are a function of the seed, and the state holds the seed alone.
    """

    def __init__(
        self, channels: int, condition: int, settings: FlowSettings = FlowSettings()
    ) -> None:
        """With a `condition` of 0 channels the density is unconditional."""
        super().__init__()
        if channels < 2 or condition < 0:
            raise ValueError(f"no flow over {channels} channels given {condition}")
        self.channels = channels
        self.seed = settings.seed
        self.chain = SequenceINN(channels)
        kind, more = _block(settings)
        with _drawing_from(settings.seed):
            for _ in range(settings.blocks):
                self.chain.append(
                    kind,
                    cond=0,
                    cond_shape=(condition,),
                    subnet_constructor=partial(_subnet, factor=settings.hidden),
                    **more,
                )
        self._rotate()

    def log_density(self, vectors: Tensor, condition: Tensor) -> Tensor:
        """Log density per channel of vectors [N, C] given conditions [N, P], [N]."""
        latent, log_determinant = self.latent(vectors, condition)
        return log_density_per_channel(latent, log_determinant)

    def latent(self, vectors: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Where vectors [N, C] lie under the Gaussian [N, C], and the log determinant [N]."""
        latent, log_determinant = self.chain(vectors, [condition])
        return latent, log_determinant

    def invert(self, latent: Tensor, condition: Tensor) -> Tensor:
        """The vectors [N, C] that `latent` takes to these; of Gaussian ones, samples."""
        return self.chain(latent, [condition], rev=True)[0]

    def get_extra_state(self) -> Tensor:
        """The seed of the rotations, so that they need not be kept."""
        return torch.tensor(self.seed)

    def set_extra_state(self, state: Tensor) -> None:
        """Turn as the flow did that was saved."""
        if int(state) != self.seed:
            self.seed = int(state)
            self._rotate()

    def _rotate(self) -> None:
        """Give each block its rotation, in place of the shuffle that it was built with."""
        for place, block in enumerate(self.chain):
            like = block.global_scale
            turn = torch.from_numpy(rotation(self.channels, self.seed, place)).float().to(like)
            for name, matrix in (("w_perm", turn), ("w_perm_inv", turn.T)):
                delattr(block, name)
                block.register_buffer(name, matrix, persistent=False)


def log_density_per_channel(latent: Tensor, log_determinant: Tensor) -> Tensor:
    """What a point [N, C] of the unit Gaussian says of the vector that was taken to it, [N]."""
    channels = latent.shape[1]
    gaussian = -0.5 * (latent.square().sum(1) + channels * math.log(2 * math.pi))
    return (gaussian + log_determinant) / channels


@contextmanager
def _drawing_from(seed: int) -> Iterator[None]:
    """Draw the layers from `seed`, and leave both global generators as they were."""
    # FrEIA draws shuffles, which are not kept, from NumPy's.
    state = np.random.get_state()
    # The default generator only: `torch.manual_seed` would reseed the accelerators as well.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)


def _block(settings: FlowSettings) -> tuple[type[InvertibleModule], dict[str, Any]]:
    """The class of a block, and what it is told."""
    if settings.coupling == "spline":
        return SplineBlock, {"bins": settings.bins, "reach": settings.reach}
    return AllInOneBlock, {
        "affine_clamping": settings.clamp, "global_affine_type": "SOFTPLUS"
    }  # fmt: skip


def _subnet(channels_in: int, channels_out: int, factor: float) -> nn.Module:
    hidden = max(1, round(factor * channels_in))
    layers = nn.Linear(channels_in, hidden), nn.ReLU(), nn.Linear(hidden, channels_out)
    return nn.Sequential(*layers)
