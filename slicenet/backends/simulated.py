"""What a network that was fine-tuned on simulated lesions says itself."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.depth import DepthSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings


@final
@dataclass(frozen=True)
class Simulated:
    """A network that finds simulated lesions in healthy slices; its answer is the score."""

    frame: FrameSettings = FrameSettings()
    slices: SliceSettings = SliceSettings(
        read=("logit",),
        depth=DepthSettings(kernel=3, stride=3),
        picture=PictureSettings(usual=True),
    )
    score: ChannelSettings = ChannelSettings()
    map: MapSettings = MapSettings()

    def build(self) -> Detector:
        extractor = SliceExtractor(self.slices)
        return Detector(Frame(self.frame), extractor, ChannelScorer(self.score), self.map)
