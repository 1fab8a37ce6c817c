"""SimpleSliceNet (arXiv 2408.15958), with our care for its features."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class SimpleSliceNet:
    """Slices through a fine-tuned image network; how unlikely under a flow by Semi-Push-Pull."""

    frame: FrameSettings = FrameSettings()
    slices: SliceSettings = SliceSettings(
        read=("intensity", "logit"), finer=2, picture=PictureSettings(usual=True)
    )
    flow: FlowScorerSettings = FlowScorerSettings()
    map: MapSettings = MapSettings(PositionSettings("ecdf"), smooth=2.0)

    def build(self) -> Detector:
        extractor = SliceExtractor(self.slices)
        return Detector(Frame(self.frame), extractor, FlowScorer(self.flow), self.map)
