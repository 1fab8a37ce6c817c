"""The voxels around each cell, as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.lattice import check_whole, touching
from slicenet.features import Extractor, FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch


@dataclass(frozen=True)
class PatchSettings:
    """Settings of `PatchExtractor`; all in voxels of the frame."""

    size: tuple[int, int, int] = (5, 5, 1)  # of a patch
    steps: tuple[int, int, int] = (1, 1, 1)  # of a cell, in whose middle its patch lies
    least: float = 0.5  # share of a cell that must be brain

    def __post_init__(self) -> None:
        if len(self.size) != 3 or len(self.steps) != 3 or not 0 < self.least <= 1:
            raise ConfigError("size and steps need three numbers, least 0 to 1", "E_SETTING")
        pairs = list(zip(self.size, self.steps, strict=True))
        if any(step < 1 or size < step for size, step in pairs):
            raise ConfigError("steps count from 1, and no patch is smaller than them", "E_SETTING")
        if any((size - step) % 2 for size, step in pairs):
            message = "a patch lies in the middle of its cell if both are odd, or both even"
            raise ConfigError(message, "E_SETTING", f"size {self.size}, steps {self.steps}")


@final
class PatchExtractor(Extractor):
    """Every sequence of a box of voxels around each cell; 0, the median, beyond the brain."""

    settings: PatchSettings

    def __init__(self, settings: PatchSettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Nothing to learn."""

    def extract(self, volume: Volume) -> FeatureMap:
        size, steps = self.settings.size, self.settings.steps
        check_whole(volume.brain.shape, steps)
        inside = touching(volume.brain, steps, self.settings.least)
        beyond = [(edge - step) // 2 for edge, step in zip(size, steps, strict=True)]
        around = [margin for margin in reversed(beyond) for _ in range(2)]
        seen = F.pad(volume.voxels, around)  # [M, X, Y, Z] and what is beyond
        for axis, (edge, step) in enumerate(zip(size, steps, strict=True), start=1):
            seen = seen.unfold(axis, edge, step)
        cells = seen.movedim(0, 3)  # [x, y, z, M, *size], a view
        return FeatureMap(cells[inside].flatten(1), inside)
