"""MSMA (Mahmood et al., 2021), with the faults of its code mended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.score_networks import ScoreNetworkSettings
from slicenet.extractors.score_norms import ScoreNormExtractor, ScoreNormSettings
from slicenet.flows.conditional import FlowSettings
from slicenet.flows.push_pull import PushPullSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings
from slicenet.scorers.norm_mixture import NormMixtureScorer, NormMixtureSettings
from slicenet.scoring import Scorer


@final
@dataclass(frozen=True)
class Msma:
    """A network that denoises healthy slices; how unlikely the norms of its scores of a slice are.

    It judges slices and volumes, not places: each slice of the map has one number. As published
    norms are of a whole image, which `norms.scope=volume` gives, on a map of one number. Unlike the
    published code, the density is learnt from brains that taught the network nothing.
    """

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 4.0))
    norms: ScoreNormSettings = ScoreNormSettings(
        network=ScoreNetworkSettings(axes=2), patch=64, scope="slice"
    )
    density: str = "mixture"  # of norms; or neighbours, flow
    mixture: NormMixtureSettings = NormMixtureSettings()
    neighbours: NeighboursSettings = NeighboursSettings(nearest=5)  # as published
    flow: FlowScorerSettings = FlowScorerSettings(
        flow=FlowSettings(blocks=4, hidden=2.0),
        loss=PushPullSettings(loss="none", likelihood="nll"),
    )
    map: MapSettings = MapSettings(share=0.1)  # slices are many voxels: the strangest few

    def __post_init__(self) -> None:
        if self.density not in DENSITIES:
            raise ConfigError(
                f"density: have {', '.join(sorted(DENSITIES))}; got {self.density!r}", "E_SETTING"
            )

    def build(self) -> Detector:
        extractor = ScoreNormExtractor(self.norms)
        return Detector(Frame(self.frame), extractor, DENSITIES[self.density](self), self.map)


DENSITIES: dict[str, Callable[[Msma], Scorer]] = {
    "flow": lambda msma: FlowScorer(msma.flow),
    "mixture": lambda msma: NormMixtureScorer(msma.mixture),
    "neighbours": lambda msma: NeighboursScorer(msma.neighbours),
}
