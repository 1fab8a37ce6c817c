"""Random numbers that depend on seed, subject and purpose only, never on what was drawn before."""

from dataclasses import dataclass
from enum import IntEnum
from typing import final

import numpy as np

from slicenet.errors import ConfigError


class Purpose(IntEnum):
    """What a stream is for; the numbers are part of every phantom, so they never change."""

    SHAPE = 1
    TISSUE = 2
    SIGNAL = 3
    COIL = 4
    SCANNER = 5
    LESION = 6
    PUSH = 7
    PAINT = 8
    CHOICE = 9


@final
@dataclass(frozen=True)
class Streams:
    """The streams of random numbers of one subject."""

    seed: int
    index: int

    def __post_init__(self) -> None:
        if self.seed < 0 or self.index < 0:
            raise ConfigError(f"seeds start at 0, got {self.seed}", "E_SEED")

    def of(self, purpose: Purpose, detail: int = 0) -> np.random.Generator:
        """A stream from its beginning: equal arguments give equal numbers."""
        words = [self.seed, self.index, int(purpose), detail]
        return np.random.default_rng(np.random.SeedSequence(words))
