"""The siamese auto-encoder under local outlier factors."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.lof import LofScorer, LofSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class SiameseLof:
    """Latents of patches that look alike in all brains; how thinly healthy ones lie around."""

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 2.0))
    siamese: SiameseSettings = SiameseSettings()
    lof: LofSettings = LofSettings()
    map: MapSettings = MapSettings(PositionSettings("z"), smooth=3.0)

    def build(self) -> Detector:
        extractor = SiameseExtractor(self.siamese)
        return Detector(Frame(self.frame), extractor, LofScorer(self.lof), self.map)
