"""A batch shared by several processes, if there are several."""

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> tuple[int, int]:
    """The number of this process and how many there are."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def share(count: int) -> slice:
    """Which of `count` items this process takes; all processes take as many."""
    rank, world = processes()
    each = count // world
    return slice(rank * each, (rank + 1) * each)


def joined(own: Tensor) -> Tensor:
    """Those of all processes in their order, [world * N, ...]; gradients reach one's own only."""
    rank, world = processes()
    if world == 1:
        return own
    found = [torch.empty_like(own) for _ in range(world)]
    dist.all_gather(found, own.detach().contiguous())
    found[rank] = own
    return torch.cat(found)


def sum_gradients(network: nn.Module) -> None:
    """The gradients of all processes, each of which has those of its own share."""
    if processes()[1] == 1:
        return
    for parameter in network.parameters():
        if parameter.grad is not None:
            dist.all_reduce(parameter.grad)
