"""What a VQ-VAE cannot give back (Pinaya et al., 2022, before its transformer).

Published, a residual counts alike at every place; here it counts by what healthy brains have there.
"""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.vqvae import VqVaeExtractor, VqVaeSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings


@final
@dataclass(frozen=True)
class VqVaeResidual:
    """Slices through a codebook of healthy pieces; how much more of them is lost than usual."""

    frame: FrameSettings = FrameSettings()
    vqvae: VqVaeSettings = VqVaeSettings(read=("residual", "distance"))
    zscore: ZScoreSettings = ZScoreSettings(polarity="bright")
    map: MapSettings = MapSettings(smooth=4.0)

    def build(self) -> Detector:
        extractor = VqVaeExtractor(self.vqvae)
        return Detector(Frame(self.frame), extractor, ZScoreScorer(self.zscore), self.map)
