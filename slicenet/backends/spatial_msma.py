"""Spatial-MSMA (arXiv 2407.00148), with the faults of its code mended."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.score_norms import ScoreNormExtractor, ScoreNormSettings
from slicenet.flows.conditional import FlowSettings
from slicenet.flows.push_pull import PushPullSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class SpatialMsma:
    """A network that denoises healthy brains; how unlikely norms of its scores are at their place.

    Unlike the published code, sequences cannot cancel, no voxel counts half, and the density is
    learnt from brains that taught the network nothing. The code of the whole brain is a summary of
    its norms, in place of a network over its image.
    """

    frame: FrameSettings = FrameSettings(spacing=(3.0, 3.0, 3.0))
    norms: ScoreNormSettings = ScoreNormSettings()
    flow: FlowScorerSettings = FlowScorerSettings(
        flow=FlowSettings(blocks=4, hidden=2.0, coupling="spline"),
        loss=PushPullSettings(loss="none", likelihood="nll"),
        condition="global",
    )
    map: MapSettings = MapSettings(PositionSettings("z"), smooth=3.0)

    def build(self) -> Detector:
        extractor = ScoreNormExtractor(self.norms)
        return Detector(Frame(self.frame), extractor, FlowScorer(self.flow), self.map)
