"""The intensities themselves: what every baseline looks at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from slicenet.errors import ConfigError
from slicenet.extractors.lattice import pool, strides, touching
from slicenet.features import Extractor, FeatureMap
from slicenet.resampling import smooth_inside
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch


@dataclass(frozen=True)
class IntensitySettings:
    """Settings of `IntensityExtractor`."""

    cell: float = 2.0  # mm, edge of a lattice cell, over which intensities are averaged
    smooth: float = 2.0  # mm, deviation of a Gaussian over voxels of the brain only

    def __post_init__(self) -> None:
        if self.cell <= 0 or self.smooth < 0:
            raise ConfigError("cell must be positive and smooth not negative", "E_SETTING")


@final
class IntensityExtractor(Extractor):
    """Standardised intensities, one channel a sequence, smoothed inside the brain."""

    settings: IntensitySettings

    def __init__(self, settings: IntensitySettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Nothing to learn."""

    def extract(self, volume: Volume) -> FeatureMap:
        x, y, z = (self.settings.smooth / volume.spacing).tolist()
        smoothed = smooth_inside(volume.voxels, volume.brain, (x, y, z))
        steps = strides(volume, self.settings.cell)
        inside = touching(volume.brain, steps)
        return FeatureMap(pool(smoothed, volume.brain, steps)[:, inside].T, inside)
