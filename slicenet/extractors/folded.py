"""A ResNet of timm as it scores: batch norms, sums and ReLUs folded into the convolutions.

The parameters stay those of the network. What is multiplied out of them is made again whenever one
of them has been written to, by training or by a load.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.extractors.convolution import Convolution, can_fold
from slicenet.timm_door import timm

Step = Callable[[Tensor], Tensor]
Look = Callable[[Tensor], Sequence[Tensor]]
STEM = ("conv1", "bn1", "act1", "maxpool")
BLOCKS = (timm.models.resnet.BasicBlock, timm.models.resnet.Bottleneck)


@final
class Folding:
    """The folded form of a network that may change; a copy of this folds for itself."""

    def __init__(self, compiled: bool = False) -> None:
        self._compiled = compiled
        self._stamp: tuple[object, ...] = ()
        self._folded: Look | None = None

    def __reduce__(self) -> tuple[type["Folding"], tuple[bool]]:
        return Folding, (self._compiled,)  # packed weights can be neither copied nor pickled

    def of(self, network: nn.Module, kind: torch.dtype) -> "Look | None":
        """`network` folded as it is now, computing in `kind`; nothing where a part is not known."""
        tensors = chain(network.parameters(), network.buffers())
        # Training and loading write in place, which torch counts; a move makes other storage.
        stamp = (kind, *((tensor.data_ptr(), tensor._version) for tensor in tensors))
        if stamp != self._stamp:
            self._folded = None  # first, so that there are never two
            self._folded = Folded(network, kind) if can_be_folded(network) else None
            if self._compiled and self._folded is not None:
                self._folded = torch.compile(self._folded.__call__)
            self._stamp = stamp
        return self._folded


@final
class Folded:
    """The numbers of a ResNet as they were when this was made, and which layers are shown."""

    def __init__(self, network: nn.Module, kind: torch.dtype) -> None:
        parts: Any = dict(network.named_children())
        self.kind = kind
        self.stem = [Convolution(layer, norm, kind) for layer, norm, _ in _stem(parts)]
        self.pool: Step = parts["maxpool"]
        self.stages = [
            [Block(block, kind) for block in stage]
            for name, stage in parts.items()
            if name not in STEM
        ]
        names = ["act1", *(name for name in parts if name not in STEM)]
        shown: Any = network.return_layers
        self.shown = [name in shown for name in names]

    def __call__(self, pictures: Tensor) -> Sequence[Tensor]:
        """Normalised pictures [S, 3, H, W] to the layers shown, each [S, C, h, w]."""
        maps = pictures.to(self.kind).contiguous(memory_format=torch.channels_last)
        for layer in self.stem:
            maps = layer(maps, relu=True)
        layers = [maps]
        maps = self.pool(maps)
        for first, *others in self.stages:
            maps = first(maps, False)  # what came before may be shown
            for block in others:
                maps = block(maps, True)
            layers.append(maps)
        return tuple(layer for layer, shown in zip(layers, self.shown, strict=True) if shown)


@final
class Block:
    """A residual block."""

    def __init__(self, block: nn.Module, kind: torch.dtype) -> None:
        *self.inner, self.last = [
            Convolution(layer, norm, kind) for layer, norm, _ in _parts(block)
        ]
        self.pools: list[Step] = []
        self.shortcut: Convolution | None = None
        downsample: Any = block.downsample
        if downsample is not None:
            *self.pools, layer, norm = downsample
            self.shortcut = Convolution(layer, norm, kind)

    def __call__(self, maps: Tensor, overwrite: bool) -> Tensor:
        """Maps to maps; the result stands where `maps` stood if that may be."""
        inner = maps
        for layer in self.inner:
            inner = layer(inner, relu=True)
        if self.shortcut is not None:
            for pool in self.pools:
                maps = pool(maps)
            return self.last.onto_(self.shortcut(maps, relu=False), inner)
        return self.last.onto_(maps if overwrite else maps.clone(), inner)


def can_be_folded(network: nn.Module) -> bool:
    """Whether every part of `network` is one that `Folded` knows."""
    parts: Any = dict(network.named_children())
    if tuple(parts)[:4] != STEM or not isinstance(parts["maxpool"], nn.MaxPool2d):
        return False
    stages = [stage for name, stage in parts.items() if name not in STEM]
    blocks = [block for stage in stages for block in stage]
    return all(_is_known(part) for part in _stem(parts)) and all(map(_is_plain, blocks))


def _is_plain(block: nn.Module) -> bool:
    """Whether a block is one of the first ResNets', without attention or blur."""
    if type(block) not in BLOCKS or block.se is not None or type(block.aa) is not nn.Identity:
        return False
    downsample: Any = block.downsample
    shortcut = () if downsample is None else ([*downsample[-2:], nn.ReLU()],)
    return all(_is_known(part) for part in (*_parts(block), *shortcut))


def _is_known(part: Sequence[nn.Module]) -> bool:
    return len(part) == 3 and can_fold(part[0], part[1]) and type(part[2]) is nn.ReLU


def _stem(parts: Any) -> list[tuple[Any, ...]]:
    """Convolution, norm and activation, once or several times."""
    first = parts["conv1"]
    layers = [*first] if isinstance(first, nn.Sequential) else [first]
    layers += [parts["bn1"], parts["act1"]]
    return [tuple(layers[start : start + 3]) for start in range(0, len(layers), 3)]


def _parts(block: Any) -> list[tuple[Any, ...]]:
    """Convolution, norm and activation of a block, twice or three times."""
    parts = [(block.conv1, block.bn1, block.act1), (block.conv2, block.bn2, block.act2)]
    if isinstance(block, timm.models.resnet.Bottleneck):
        parts.append((block.conv3, block.bn3, block.act3))
    return parts
