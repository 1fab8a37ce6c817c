"""A small convolutional auto-encoder of patches, whose encoder runs over whole images as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.errors import ConfigError


@dataclass(frozen=True)
class CoderSettings:
    """Settings of `Coder`; as published with the siamese auto-encoder (Pinon et al., ISBI 2023)."""

    dimensions: int = 2  # of a patch: in axial slices, with sequences as channels, or 3
    kernels: tuple[int, ...] = (5, 3, 3, 3)  # of each layer
    strides: tuple[int, ...] = (1, 1, 3, 1)
    widths: tuple[int, ...] = (3, 4, 12, 16)  # channels; the last are those of a latent vector

    def __post_init__(self) -> None:
        if self.dimensions not in (2, 3):
            raise ConfigError(f"dimensions: have 2, 3; got {self.dimensions}", "E_SETTING")
        if not len(self.kernels) == len(self.strides) == len(self.widths) > 0:
            raise ConfigError("kernels, strides and widths: one of each a layer", "E_SETTING")
        if min(*self.kernels, *self.strides, *self.widths) < 1:
            raise ConfigError("kernels, strides and widths count from 1", "E_SETTING")
        if any(k < s for k, s in zip(self.kernels, self.strides, strict=True)):
            raise ConfigError("a kernel no smaller than its stride sees every voxel", "E_SETTING")
        if self.edge % 2 == 0:
            raise ConfigError(f"a patch of {self.edge} voxels has no centre", "E_SETTING")

    @property
    def edge(self) -> int:
        """Voxels of a patch along an axis: just what one latent vector has seen."""
        size = 1
        for kernel, stride in zip(self.kernels[::-1], self.strides[::-1], strict=True):
            size = (size - 1) * stride + kernel
        return size


@final
class Coder(nn.Module):
    """Patches to latent vectors and back; values in 0 to 1 come back through a sigmoid.

    Nothing is padded, so that a latent vector is of its patch alone.
    """

    def __init__(self, sequences: int, settings: CoderSettings) -> None:
        super().__init__()
        self.settings = settings
        widths = (sequences, *settings.widths)
        sizes = list(zip(pairwise(widths), settings.kernels, settings.strides, strict=True))
        self.encoder = nn.ModuleList(
            self._layer(one, other, kernel, stride) for (one, other), kernel, stride in sizes
        )
        self.decoder = nn.ModuleList(
            self._layer(other, one, kernel, stride, back=True)
            for (one, other), kernel, stride in sizes[:0:-1]
        )
        kind: Any = nn.ConvTranspose2d if settings.dimensions == 2 else nn.ConvTranspose3d
        last = kind(settings.widths[0], sequences, settings.kernels[0], settings.strides[0])
        self.decoder.append(nn.Sequential(last))

    def encode(self, patches: Tensor) -> Tensor:
        """Latent vectors [B, C] of patches [B, M, edge, edge], or with a third edge."""
        for layer in self.encoder:
            patches = layer(patches)
        return patches.flatten(1)

    def decode(self, latents: Tensor, core: int = 0) -> Tensor:
        """Patches [B, M, edge, edge], or with a third edge, in 0 to 1, of latent vectors [B, C].

        With `core`, only so many voxels along each axis in the middle of every patch.
        """
        maps = latents[(...,) + (None,) * self.settings.dimensions]
        spans = self._spans(core or self.settings.edge)
        for layer, given, wanted in zip(self.decoder, spans, spans[1:], strict=False):
            assert isinstance(layer, nn.Sequential)
            first, *rest = layer
            maps = spread(maps, first, given, wanted)
            for one in rest:
                maps = one(maps)
        return torch.sigmoid(maps)

    def dense(self, images: Tensor, steps: Sequence[int]) -> Tensor:
        """Latents [S, C, ...] of the patches that begin every `steps` voxels of images [S, M, ...].

        What a stride would skip between two such patches is kept, and the kernels after it reach
        as much farther: to rounding, the same as `encode` of each patch on its own.
        """
        plans = [plan(self.settings.strides, step) for step in steps]
        convolve: Any = F.conv2d if self.settings.dimensions == 2 else F.conv3d
        for layer, ways in zip(self.encoder, zip(*plans, strict=True), strict=True):
            assert isinstance(layer, nn.Sequential)
            first, norm, activation = layer
            stride, dilation = zip(*ways, strict=True)
            images = convolve(images, first.weight, None, stride, 0, dilation)
            images = activation(norm(images))
        return images

    def _spans(self, core: int) -> list[range]:
        """What each layer of the decoder is given, and what the last answers, along an axis."""
        rim = (self.settings.edge - core) // 2
        spans, size = [range(rim, rim + core)], self.settings.edge
        for kernel, stride in zip(self.settings.kernels, self.settings.strides, strict=True):
            size = (size - kernel) // stride + 1
            first = -((kernel - 1 - spans[0].start) // stride)
            last = (spans[0].stop - 1) // stride
            spans.insert(0, range(max(first, 0), min(last, size - 1) + 1))
        return spans

    def _layer(
        self, before: int, after: int, kernel: int, stride: int, back: bool = False
    ) -> nn.Sequential:
        flat = self.settings.dimensions == 2
        one, other = (nn.ConvTranspose2d, nn.ConvTranspose3d) if back else (nn.Conv2d, nn.Conv3d)
        kind: Any = one if flat else other
        norm = nn.BatchNorm2d if flat else nn.BatchNorm3d
        first = kind(before, after, kernel, stride, bias=False)
        return nn.Sequential(first, norm(after), nn.GELU())


def spread(maps: Tensor, layer: nn.Module, given: range, wanted: range) -> Tensor:
    """What a transposed convolution answers on `wanted`, shown no more than `given` of its maps.

    Without a stride it is a convolution by the mirrored kernel, which is several times faster.
    """
    axes = tuple(range(2, maps.ndim))
    assert isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d)
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    if stride == 1:
        sides = [given.start - wanted.start + kernel - 1, wanted.stop - given.stop]
        convolve: Any = F.conv2d if len(axes) == 2 else F.conv3d
        mirrored = layer.weight.transpose(0, 1).flip(axes)
        return convolve(F.pad(maps, sides * len(axes)), mirrored, layer.bias)
    first = given.start * stride
    cut = slice(wanted.start - first, wanted.stop - first)
    return layer(maps)[(..., *[cut] * len(axes))]


def plan(strides: Sequence[int], step: int) -> list[tuple[int, int]]:
    """Stride and dilation of each layer with which its last has an answer every `step` voxels.

    Answers of a layer are as far apart as the step and the kernels after it allow.
    """
    found, apart, wanted = [], 1, 1  # voxels between what a layer is given, and its kernel's taps
    for index, stride in enumerate(strides):
        after = wanted * stride
        reached = step if index == len(strides) - 1 else gcd(step, after)
        found.append((reached // apart, wanted // apart))
        apart, wanted = reached, after
    return found
