"""Which category each cell holds: the label of a label map, or a level of intensity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError, VolumeError
from slicenet.extractors.lattice import pool, strides, touching
from slicenet.features import Extractor, FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

MOST = 256  # labels; more of them are intensities
LOWEST = np.float32(-np.inf)


@dataclass(frozen=True)
class CategorySettings:
    """Settings of `CategoryExtractor`."""

    cell: float = 4.0  # mm, edge of a lattice cell, which holds its most frequent label
    least: float = 0.5  # share of a cell that must be brain
    levels: int = 0  # as many of intensity, with as much of healthy brains each; 0: of labels

    def __post_init__(self) -> None:
        if self.cell <= 0 or not 0 < self.least <= 1 or self.levels < 0 or self.levels == 1:
            raise ConfigError(
                "cell must be positive, least within 0 to 1, levels 0 or from 2", "E_SETTING"
            )
        if self.levels > MOST:
            raise ConfigError(f"levels: at most {MOST}", "E_SETTING")


@final
class CategoryExtractor(Extractor):
    """One channel a sequence, of whole numbers: rank of the label among those of the cohort.

    A label that no healthy map had is one more category, which training has never seen.
    """

    settings: CategorySettings
    categorical = True
    known: Tensor  # [M, K], labels in rising order, int32 and padded, or edges of levels, float32

    def __init__(self, settings: CategorySettings) -> None:
        super().__init__()
        self.settings = settings
        # Whole, for a model in half precision would round what it holds of labels.
        kind = torch.float32 if settings.levels else torch.int32
        self.register_buffer("known", torch.empty(0, dtype=kind))
        self.register_load_state_dict_pre_hook(_grow)

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        if self.settings.levels:
            self.known = _edges(volumes, self.settings.levels).to(self.known.device)
            return
        found: list[np.ndarray] = []
        for volume in volumes:
            inside = [one[volume.brain].numpy() for one in volume.voxels]
            _check(inside, volume.name)
            before = found or [np.empty(0)] * len(inside)
            found = [np.union1d(old, new) for old, new in zip(before, inside, strict=True)]
            if max(map(len, found)) > MOST:
                raise _no_labels(volume.name)
        longest = max(map(len, found))
        # Past the last of a sequence, labels that cannot be: beyond all, and not whole.
        rows = [np.pad(one, (0, longest - len(one)), constant_values=1e9) for one in found]
        self.known = torch.from_numpy(np.stack(rows)).int().to(self.known.device)

    def extract(self, volume: Volume) -> FeatureMap:
        steps = strides(volume, self.settings.cell)
        inside = touching(volume.brain, steps, self.settings.least)
        known = self.known.cpu()
        if self.settings.levels:
            means = pool(volume.voxels, volume.brain, steps)[:, inside]
            codes = [torch.searchsorted(row, one) for row, one in zip(known, means, strict=True)]
            return FeatureMap(torch.stack(codes, 1).float(), inside)
        _check([one[volume.brain].numpy() for one in volume.voxels], volume.name)
        codes = [
            _most_frequent(_ranks(one, row), volume.brain, inside, steps, len(row) + 1)
            for one, row in zip(volume.voxels, known, strict=True)
        ]
        return FeatureMap(torch.stack(codes, 1).float(), inside)


def _ranks(labels: Tensor, known: Tensor) -> Tensor:
    """Places of labels among the known, [X, Y, Z] int64; of those that are none, beyond all."""
    labels = labels.int()
    places = torch.searchsorted(known, labels).clamp(max=len(known) - 1)
    return torch.where(known[places] == labels, places, len(known))


def _most_frequent(
    ranks: Tensor, brain: Tensor, inside: Tensor, steps: tuple[int, int, int], kinds: int
) -> Tensor:
    """Of the brain of each inside cell, [N]; the lowest where several are."""
    number = inside.flatten().long().cumsum(0).view(inside.shape) - 1
    number = torch.where(inside, number, -1)
    for axis, step in enumerate(steps):
        number = number.repeat_interleave(step, axis)  # [X, Y, Z], which cell a voxel is of
    counted = brain & (number >= 0)
    cells = int(inside.sum())
    votes = torch.bincount(number[counted] * kinds + ranks[counted], minlength=cells * kinds)
    return votes.view(cells, kinds).argmax(1)


def _edges(volumes: Iterable[Volume], levels: int) -> Tensor:
    """Between levels with an even share of healthy intensities, mean over volumes, [M, K]."""
    shares = np.linspace(0, 1, levels + 1)[1:-1]
    found = [np.quantile(one.voxels[:, one.brain].numpy(), shares, axis=1).T for one in volumes]
    edges = np.mean(found, axis=0)
    single = edges.astype(np.float32)
    # Down, never up: no intensity in single precision then changes its side of an edge.
    return torch.from_numpy(np.where(single > edges, np.nextafter(single, LOWEST), single))


def _check(inside: list[np.ndarray], name: str) -> None:
    for labels in inside:
        if not np.array_equal(labels, np.rint(labels)) or abs(labels).max() >= 2**24:
            raise _no_labels(name)


def _no_labels(name: str) -> VolumeError:
    text = f"{name}: is no map of labels: they are whole numbers, {MOST} at most"
    hint = "a segmentation, or categories.levels with frame.intensity=robust"
    return VolumeError(text, "E_LABELS", hint)


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, room for its labels."""
    assert isinstance(module, CategoryExtractor)
    kind = torch.float32 if module.settings.levels else torch.int32  # an old file has doubles
    shape, device = state[f"{prefix}known"].shape, module.known.device
    module.known = torch.zeros(shape, dtype=kind, device=device)
