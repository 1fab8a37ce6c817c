"""A flow with all that stands still multiplied out beforehand: for scoring, not for training."""

from dataclasses import dataclass
from typing import final

import torch
from FrEIA.modules import AllInOneBlock
from torch import Tensor

from slicenet.flows.conditional import ConditionalFlow, log_density_per_channel

PIECE = 1024  # vectors at once: what one product writes is in the cache when the next one reads it


@final
class FusedFlow:
    """The densities of a `ConditionalFlow` as it was when this was made from it.

    Of splines nothing stands still that could be multiplied out: they stay as they are.
    """

    def __init__(self, flow: ConditionalFlow) -> None:
        self.flow = flow
        affine = all(isinstance(block, AllInOneBlock) for block in flow.chain)
        self.blocks = [FusedBlock.of(block) for block in flow.chain] if affine else []
        scales = [block.scale.log().sum() for block in self.blocks]
        self.log_scales = torch.stack(scales).sum() if affine else torch.zeros(())

    @torch.no_grad()
    def log_density(self, vectors: Tensor, condition: Tensor) -> Tensor:
        """Log density per channel of vectors [N, C] given conditions [N, P], [N]."""
        pieces = zip(vectors.split(PIECE), condition.split(PIECE), strict=True)
        return torch.cat([self._piece(*piece) for piece in pieces])

    def _piece(self, vectors: Tensor, condition: Tensor) -> Tensor:
        if not self.blocks:
            return self.flow.log_density(vectors, condition)
        vectors = vectors.clone()  # each block writes into what the one before it has made
        stretched = self.log_scales.expand(len(vectors))
        for block in self.blocks[:-1]:
            stretched = stretched + block.couple_(vectors, condition)
            vectors = torch.addmm(block.turned_offset, vectors, block.turn)
        last = self.blocks[-1]
        stretched = stretched + last.couple_(vectors, condition)
        # The last rotation is left out: it changes no length, and only the length is asked for.
        return log_density_per_channel(vectors * last.scale + last.offset, stretched)


@final
@dataclass(frozen=True, eq=False)
class FusedBlock:
    """One block's numbers, its matrices transposed to stand on the right of a product."""

    inner: Tensor  # [C/2 + P, hidden]
    inner_bias: Tensor
    outer: Tensor  # [hidden, 2 · C/2]
    outer_bias: Tensor
    turn: Tensor  # [C, C], scale and rotation
    turned_offset: Tensor
    scale: Tensor  # [C]
    offset: Tensor
    passive: int  # channels that only steer the others
    clamp: float

    @staticmethod
    def of(block: AllInOneBlock) -> "FusedBlock":
        """The numbers of a block whose sub-net is linear, ReLU, linear."""
        first, _, second = block.subnet
        scale = block.global_scale_activation(block.global_scale).detach()[0]
        offset = block.global_offset.detach()[0]
        return FusedBlock(
            inner=first.weight.detach().T.contiguous(),
            inner_bias=first.bias.detach(),
            # FrEIA takes a tenth of what a sub-net says.
            outer=(0.1 * second.weight.detach()).T.contiguous(),
            outer_bias=0.1 * second.bias.detach(),
            turn=(block.w_perm * scale).T.contiguous(),
            turned_offset=block.w_perm @ offset,
            scale=scale,
            offset=offset,
            passive=block.splits[0],
            clamp=block.clamp,
        )

    def couple_(self, vectors: Tensor, condition: Tensor) -> Tensor:
        """Move the active channels in place; the log determinant of that, [N]."""
        passive, active = vectors[:, : self.passive], vectors[:, self.passive :]
        steering = torch.cat((passive, condition), 1)
        hidden = torch.addmm(self.inner_bias, steering, self.inner).relu_()
        log_scale, shift = torch.addmm(self.outer_bias, hidden, self.outer).chunk(2, 1)
        stretched = log_scale.tanh_().mul_(self.clamp).sum(1)
        active.mul_(log_scale.exp_()).add_(shift)
        return stretched
