"""Operations of a network's convolutions, from the sizes of what they see."""

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import final

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@final
class Counter:
    """What one network costs; it is run on shapes only, which takes no time worth counting."""

    def __init__(self, network: nn.Module) -> None:
        self._network = copy.deepcopy(network).to("meta").eval()
        self._operations = lru_cache(maxsize=256)(self._count)

    def operations(self, shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications and additions, for pictures of each of `shapes` [S, 3, H, W]."""
        return sum(shape[0] * self._operations(shape[1:]) for shape in shapes)

    def _count(self, shape: tuple[int, ...]) -> int:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            self._network(torch.empty(1, *shape, device="meta"))
        return int(counter.get_total_flops())
