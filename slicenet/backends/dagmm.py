"""DAGMM (Zong et al., 2018) on patches of volumes."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.dagmm import DagmmExtractor, DagmmSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class Dagmm:
    """Patches in a few numbers, with what that loses; their energy under a mixture of Gaussians."""

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 4.0))
    dagmm: DagmmSettings = DagmmSettings(read="energy")
    score: ChannelSettings = ChannelSettings()
    map: MapSettings = MapSettings(PositionSettings("ecdf"), smooth=3.0)

    def build(self) -> Detector:
        extractor = DagmmExtractor(self.dagmm)
        return Detector(Frame(self.frame), extractor, ChannelScorer(self.score), self.map)
