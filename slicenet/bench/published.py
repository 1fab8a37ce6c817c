"""SimpleSliceNet as it was published, step by step: what ours is measured against.

Whole slices, air and all, go through the whole network, whose last stage and classifier are thrown
away; patches are unfolded, grown and pooled adaptively, twice; every cell of the box goes through
the flow. Nothing here is slowed down: it is the formulation that costs.
"""

from collections.abc import Sequence
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.flows.conditional import ConditionalFlow
from slicenet.flows.position import PLANE, position_code
from slicenet.timm_door import timm

WIDTH = 512  # channels of each layer, and of both together
PATCH = 3
SLAB = 3  # slices that are averaged
TAPS = ("layer2", "layer3")
# Slices through the network at once, all of them being pooled at once, and channels last: faster by
# a quarter than all at once, channels first, since norms and ReLUs find their maps in the cache.
RUN = 12
SLICE_BYTES = 70_000_000  # that one slice of 192 x 192 pixels takes at the peak, at most


def whole_network(name: str, seed: int = 0) -> Any:
    """A network of timm with its classifier and random weights, ready to infer."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return timm.create_model(name, pretrained=False, zero_init_last=False).eval()


@final
class Published:
    """A network, its taps and a flow."""

    def __init__(self, network: Any, flow: ConditionalFlow) -> None:
        self.network, self.flow = network.to(memory_format=torch.channels_last), flow
        self._tapped: dict[str, Tensor] = {}
        for name in TAPS:
            getattr(network, name).register_forward_hook(self._keep(name))

    @torch.no_grad()
    def layers(self, pictures: Tensor) -> Sequence[Tensor]:
        """Normalised pictures [S, 3, H, W] to both layers, each [S, C, h, w]."""
        runs = [self._run(run) for run in pictures.split(RUN)]
        return [torch.cat(layers) for layers in zip(*runs, strict=True)]

    @torch.no_grad()
    def densities(self, tokens: Tensor) -> Tensor:
        """Log density per channel of every cell of the box, from [h, w, d, C] to [h, w, d]."""
        h, w, d, channels = tokens.shape
        code = position_code((h, w), PLANE)[:, :, None].expand(-1, -1, d, -1)
        density = self.flow.log_density(tokens.reshape(-1, channels), code.reshape(h * w * d, -1))
        return density.view(h, w, d)

    def _run(self, pictures: Tensor) -> Sequence[Tensor]:
        self.network(pictures.contiguous(memory_format=torch.channels_last))
        return [self._tapped.pop(name) for name in TAPS]

    def _keep(self, name: str) -> Any:
        def keep(module: Any, inputs: Any, output: Tensor) -> None:
            self._tapped[name] = output

        return keep


@torch.no_grad()
def tokens(layers: Sequence[Tensor]) -> Tensor:
    """Both layers of some slabs to one vector a cell, [h, w, d, width]."""
    h, w = layers[0].shape[2:]
    columns = [_patches(layer, (h, w)) for layer in layers]  # each [S * h * w, width]
    both = torch.stack(columns, 1)  # [S * h * w, 2, width]
    width = columns[0].shape[1]
    merged = F.adaptive_avg_pool1d(both.flatten(1)[:, None], width)[:, 0]
    slices = merged.view(-1, h * w, width).permute(1, 2, 0)  # [h * w, width, S]
    slabs = F.avg_pool1d(slices, SLAB, SLAB)
    return slabs.permute(0, 2, 1).reshape(h, w, -1, width)


def _patches(layer: Tensor, size: tuple[int, int]) -> Tensor:
    """A layer's unfolded patches on the finest grid, pooled to one vector a cell."""
    unfolded = F.unfold(layer, PATCH, padding=PATCH // 2).unflatten(2, layer.shape[2:])
    if unfolded.shape[2:] != size:
        unfolded = F.interpolate(unfolded, size, mode="bilinear")
    rows = unfolded.permute(0, 2, 3, 1).flatten(0, 2)  # [S * h * w, 9 C], patches of a channel
    return F.adaptive_avg_pool1d(rows[:, None], WIDTH)[:, 0]
