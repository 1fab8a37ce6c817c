"""Histogram equalisation."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.histeq import HistEqScorer, HistEqSettings


@final
@dataclass(frozen=True)
class HistEq:
    """Baseline: rank of the smoothed intensity within its own brain; learns nothing."""

    frame: FrameSettings = FrameSettings()
    intensity: IntensitySettings = IntensitySettings()
    histeq: HistEqSettings = HistEqSettings()
    map: MapSettings = MapSettings()

    def build(self) -> Detector:
        extractor = IntensityExtractor(self.intensity)
        return Detector(Frame(self.frame), extractor, HistEqScorer(self.histeq), self.map)
