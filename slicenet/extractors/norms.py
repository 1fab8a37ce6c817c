"""Batch norms before and after a network learns: that nothing jumps when they begin, or end."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from slicenet.extractors.doubles import wide

ENOUGH = 8  # batches to start from

Norm = nn.BatchNorm2d | nn.BatchNorm3d
Norms = dict[Norm, list[Tensor]]


@torch.no_grad()
def anchor(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give batch norms the moments of `batches`, and take these back in scale and shift.

    What `network` answers in inference mode stays; what it answers when norms go by their batch, as
    they do while it learns, comes close to that. Without it, the first step would throw away every
    scale of weights that were learnt on other pictures, and of weights whose norms were multiplied
    out, all of what their norms knew.
    """
    network.eval()
    with _moments(network) as seen:
        for batch in batches:
            network(batch)
    for norm, moments in seen.items():
        mean, square = torch.stack(moments).mean(0)
        variance = (square - mean.square()).clamp(min=0)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = wide(norm.weight) / (wide(norm.running_var) + norm.eps).sqrt()
        bias = wide(norm.bias) + (mean - wide(norm.running_mean)) * scale
        norm.bias.copy_(bias.float())
        norm.weight.copy_((scale * (variance + norm.eps).sqrt()).float())
        norm.running_mean.copy_(mean.float())
        norm.running_var.copy_(variance.float())


@torch.no_grad()
def settle(network: nn.Module, look: Callable[[int], object], count: int) -> None:
    """Give the batch norms of `network` the mean moments of `count` batches, as its weights are.

    While it learnt, the moments ran after weights that moved on. `look` shows it a batch.
    """
    norms = _norms(network)
    before = [norm.momentum for norm in norms]
    for step in range(count):
        for norm in norms:
            norm.momentum = 1 / (step + 1)  # each batch counts as much as any other
        look(step)
    for norm, own in zip(norms, before, strict=True):
        norm.momentum = own


@contextmanager
def _moments(network: nn.Module) -> Iterator[Norms]:
    """The mean and the mean square of each channel that every norm is shown, batch by batch."""
    seen: Norms = {norm: [] for norm in _norms(network)}

    def remember(norm: nn.Module, shown: tuple[Tensor]) -> None:
        assert isinstance(norm, Norm)
        values = wide(shown[0]).transpose(0, 1).flatten(1)  # [C, N]
        seen[norm].append(torch.stack((values.mean(1), values.square().mean(1))))

    hooks = [norm.register_forward_pre_hook(remember) for norm in seen]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _norms(network: nn.Module) -> list[Norm]:
    return [module for module in network.modules() if isinstance(module, Norm)]
