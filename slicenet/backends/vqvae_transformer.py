"""A VQ-VAE whose tokens a transformer foretells (Pinaya et al., 2022).

Published, what counts is how far the restoration is off; here also how improbable a token is, and
both by what healthy brains have at the same place.
"""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.vqvae import VqVaeExtractor, VqVaeSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings


@final
@dataclass(frozen=True)
class VqVaeTransformer:
    """Slices as tokens; how improbable each is after others, and what would be there instead."""

    frame: FrameSettings = FrameSettings()
    vqvae: VqVaeSettings = VqVaeSettings(read=("surprise", "restored"))
    zscore: ZScoreSettings = ZScoreSettings(polarity="bright")
    map: MapSettings = MapSettings(smooth=4.0)

    def build(self) -> Detector:
        extractor = VqVaeExtractor(self.vqvae)
        return Detector(Frame(self.frame), extractor, ZScoreScorer(self.zscore), self.map)
