"""A batch in parts where memory does not hold all of it."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from slicenet.errors import out_of_memory

Result = TypeVar("Result")


def in_halves(work: Callable[[Tensor], Result], batch: Tensor) -> list[Result]:
    """`work` on all of the batch [B, …]; on its halves, and theirs, where memory runs out."""
    try:
        return [work(batch)]
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error) or len(batch) == 1:
            raise
    # Only here has what failed let go of its tensors.
    # torch keeps that for itself, and libraries beneath it ask the device for their own.
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    half = len(batch) // 2
    return [*in_halves(work, batch[:half]), *in_halves(work, batch[half:])]
