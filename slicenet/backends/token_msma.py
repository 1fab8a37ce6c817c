"""Token-MSMA: score matching on the features of slices. Ours; nobody has published it."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.token_norms import TokenNormExtractor, TokenNormSettings
from slicenet.flows.conditional import FlowSettings
from slicenet.flows.push_pull import PushPullSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings


@final
@dataclass(frozen=True)
class TokenMsma:
    """A network that denoises features of healthy slices; how unlikely norms of its scores are."""

    frame: FrameSettings = FrameSettings()
    norms: TokenNormSettings = TokenNormSettings()
    flow: FlowScorerSettings = FlowScorerSettings(
        flow=FlowSettings(blocks=4, hidden=2.0),
        loss=PushPullSettings(loss="none", likelihood="nll"),
        condition="global",
    )
    map: MapSettings = MapSettings(smooth=3.0)

    def build(self) -> Detector:
        extractor = TokenNormExtractor(self.norms)
        return Detector(Frame(self.frame), extractor, FlowScorer(self.flow), self.map)
