"""The voxelwise z-score."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings


@final
@dataclass(frozen=True)
class ZScore:
    """Baseline: smoothed intensity against the healthy mean and deviation at the same place."""

    frame: FrameSettings = FrameSettings()
    intensity: IntensitySettings = IntensitySettings()
    zscore: ZScoreSettings = ZScoreSettings()
    map: MapSettings = MapSettings()

    def build(self) -> Detector:
        extractor = IntensityExtractor(self.intensity)
        return Detector(Frame(self.frame), extractor, ZScoreScorer(self.zscore), self.map)
