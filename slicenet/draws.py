"""Randomness that is a function of where it is needed, and never a stream."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def drawing(*numbers: int) -> torch.Generator:
    """A generator that follows from a seed, a step and what else there is, none below 0."""
    mixed = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))


@contextmanager
def weights_from(seed: int) -> Iterator[None]:
    """Networks made inside start from a seed, not from earlier draws, and change no later ones."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
