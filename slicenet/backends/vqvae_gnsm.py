"""GNSM (arXiv 2304.03220) on the tokens of a VQ-VAE: one pass, and no order among the tokens."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.vqvae import VqVaeExtractor, VqVaeSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.gnsm import GnsmScorer, GnsmSettings


@final
@dataclass(frozen=True)
class VqVaeGnsm:
    """Slices as tokens of a codebook; how strange each is among its neighbours, in its place."""

    frame: FrameSettings = FrameSettings()
    vqvae: VqVaeSettings = VqVaeSettings(read=("token",), finer=1)
    gnsm: GnsmSettings = GnsmSettings()
    map: MapSettings = MapSettings(smooth=4.0)

    def build(self) -> Detector:
        extractor = VqVaeExtractor(self.vqvae)
        return Detector(Frame(self.frame), extractor, GnsmScorer(self.gnsm), self.map)
