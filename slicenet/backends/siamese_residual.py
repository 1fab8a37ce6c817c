"""The siamese auto-encoder by what it cannot rebuild."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class SiameseResidual:
    """Patches through 16 numbers and back; what is lost on the way."""

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 2.0))
    siamese: SiameseSettings = SiameseSettings(read=("residual",))
    score: ChannelSettings = ChannelSettings()
    map: MapSettings = MapSettings(PositionSettings("z"), smooth=3.0)

    def build(self) -> Detector:
        extractor = SiameseExtractor(self.siamese)
        return Detector(Frame(self.frame), extractor, ChannelScorer(self.score), self.map)
