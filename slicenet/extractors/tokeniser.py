"""Slices to a grid of tokens and back: the network of a VQ-VAE (Pinaya et al., 2022)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.extractors.codebook import Codebook

MOST = 2048  # codes, whose indices half precision holds as they are


@dataclass(frozen=True)
class TokeniserSettings:
    """Settings of `Tokeniser`."""

    levels: int = 3  # times that a slice is halved: a token stands for 2**levels pixels a side
    width: int = 128  # channels of every layer and of a code; 256 as published
    blocks: int = 3  # residual ones on either side of the codebook
    codes: int = 128  # 32 as published

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 5 or self.width < 1 or self.blocks < 0:
            raise ConfigError(
                "levels: expected 1 to 5; width counts from 1, blocks from 0", "E_SETTING"
            )
        if not 2 <= self.codes <= MOST:
            raise ConfigError(f"codes: expected 2 to {MOST}, got {self.codes}", "E_SETTING")

    @property
    def cell(self) -> int:
        """Pixels of a token, along each side."""
        return int(2**self.levels)


@final
class Tokeniser(nn.Module):
    """Encoder, codebook and decoder of slices [S, M, X, Y].

    The published decoder ends with a rectifier, which would keep it from what is darker than the
    median; and the published network takes three sequences, whatever it is given.
    """

    def __init__(self, sequences: int, settings: TokeniserSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        down, up = list[nn.Module](), list[nn.Module]()
        for level in range(settings.levels):
            before = width if level else sequences
            down += [nn.Conv2d(before, width, 4, 2, 1), nn.ReLU()]
            up += [nn.ConvTranspose2d(width, width, 4, 2, 1), nn.ReLU()]
        self.encoder = nn.Sequential(*down, *self._blocks())
        self.codebook = Codebook(settings.codes, width)
        self.decoder = nn.Sequential(*self._blocks(), *up, nn.Conv2d(width, sequences, 1))

    def latents(self, slices: Tensor) -> Tensor:
        """What the encoder makes of slices, [S, x, y, C]."""
        return self.encoder(slices).movedim(1, 3)

    def decode(self, codes: Tensor) -> Tensor:
        """Slices [S, M, X, Y] from codes [S, x, y, C]."""
        return self.decoder(codes.movedim(3, 1))

    def restore(self, tokens: Tensor) -> Tensor:
        """Slices [S, M, X, Y] from tokens [S, x, y]."""
        return self.decode(self.codebook.of(tokens))

    def _blocks(self) -> Iterator[nn.Module]:
        return (Residual(self.settings.width) for _ in range(self.settings.blocks))


@final
class Residual(nn.Module):
    """A convolution of 3 x 3 and one of single cells, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(width, width, 3, padding=1)
        self.narrow = nn.Conv2d(width, width, 1)

    def forward(self, seen: Tensor) -> Tensor:
        """Maps [S, C, x, y], as large as they came."""
        return seen + self.narrow(F.relu(self.wide(seen)))
