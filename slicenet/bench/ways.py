"""The two ways from a volume to a map of densities: as published, and ours."""

import abc
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from slicenet.bench.published import SLAB, SLICE_BYTES, Published, tokens, whole_network
from slicenet.bench.stopwatch import Stopwatch
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.expected import ExpectedSettings, normalise
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.pictures import PictureSettings, paint
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.fused import FusedFlow
from slicenet.flows.position import PLANE, position_code
from slicenet.machine import memory
from slicenet.volume import Volume
from slicenet.weights.reading import read_tensors

SHARE = 0.7  # of the memory that is free, which a group of slices may take
REFERENCE = "published"


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """A map and how it came about."""

    strangeness: Tensor  # [h, w, d], minus the log density per channel; what is no brain is 0
    stopwatch: Stopwatch  # backbone, pooling and flow
    shapes: list[tuple[int, ...]]  # of the pictures that went through the backbone


class Way(abc.ABC):
    """From a volume to a map."""

    @abc.abstractmethod
    def see(self, volume: Volume) -> Seen:
        """Measure one volume."""


def build(name: str, backbone: str, weights: str, volume: Volume) -> Way:
    """The way called `published`, or ours in the precision called `name`."""
    if name == REFERENCE:
        return AsPublished(backbone, weights, volume)
    network = BackboneSettings(backbone, weights=weights, precision=name)
    return Ours(SliceSettings(network, finetune=FinetuneSettings(method="none")))


@final
class AsPublished(Way):
    """Whole slices in groups as large as memory allows: all at once where it does."""

    def __init__(self, backbone: str, weights: str, volume: Volume) -> None:
        network = whole_network(backbone)
        network.load_state_dict(read_tensors(Path(weights)))
        self._published = Published(network, _flow(2 * 256))
        self.group = group_that_fits(volume)

    def see(self, volume: Volume) -> Seen:
        """Measure one volume; the cells of the air are seen, and then left out of the map."""
        stopwatch, parts, shapes = Stopwatch(), [], []
        with stopwatch.stage("pooling"):
            painted = paint(volume.voxels, volume.brain, PictureSettings())
            pictures = normalise(painted, ExpectedSettings()).contiguous()
        for group in pictures.split(self.group):
            shapes.append(tuple(group.shape))
            with stopwatch.stage("backbone"):
                layers = self._published.layers(group)
            with stopwatch.stage("pooling"):
                parts.append(tokens(layers))
        with stopwatch.stage("pooling"):
            joined = torch.cat(parts, 2) if len(parts) > 1 else parts[0]
        with stopwatch.stage("flow"):
            densities = self._published.densities(joined)
        return Seen(-densities, stopwatch, shapes)


@final
class Ours(Way):
    """The slice extractor and a fused flow over the cells that hold brain."""

    def __init__(self, settings: SliceSettings) -> None:
        self._extractor = SliceExtractor(settings)
        self._extractor.backbone.bring_weights()
        self._flow = FusedFlow(_flow(self._extractor.settings.neighbourhood.width))
        self._looks: list[tuple[float, tuple[int, ...]]] = []
        self._began = 0.0
        self._extractor.backbone.register_forward_pre_hook(self._begin)
        self._extractor.backbone.register_forward_hook(self._end)

    def see(self, volume: Volume) -> Seen:
        """Measure one volume."""
        self._looks.clear()
        stopwatch = Stopwatch()
        with stopwatch.stage("pooling"):  # all that is not the backbone
            features = self._extractor.extract(volume)
        with stopwatch.stage("flow"):
            h, w, _ = features.inside.shape
            rows, columns, _ = features.inside.nonzero(as_tuple=True)
            code = position_code((h, w), PLANE)[rows, columns]
            density = self._flow.log_density(features.vectors, code)
            strangeness = features.lattice(-density)
        looking = sum(seconds for seconds, _ in self._looks)
        stopwatch.add("backbone", looking)
        stopwatch.add("pooling", -looking)
        return Seen(strangeness, stopwatch, [shape for _, shape in self._looks])

    def _begin(self, module: Any, inputs: tuple[Tensor]) -> None:
        self._began = time.perf_counter()

    def _end(self, module: Any, inputs: tuple[Tensor], output: Any) -> None:
        self._looks.append((time.perf_counter() - self._began, tuple(inputs[0].shape)))


def group_that_fits(volume: Volume, free: int = 0) -> int:
    """Slices at once, whole slabs of them; all where `free` bytes, or those of now, allow it."""
    pixels, slices = volume.brain[:, :, 0].numel(), volume.brain.shape[2]
    room = SHARE * (free or memory().available) / (SLICE_BYTES * pixels / 192**2)
    return max(SLAB, min(slices, int(room) // SLAB * SLAB))


def _flow(channels: int) -> ConditionalFlow:
    """The published flow as it starts."""
    return ConditionalFlow(channels, sum(PLANE), FlowSettings(blocks=8))
