"""Hand-made features under Gaussians."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.texture import TextureExtractor, TextureSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings


@final
@dataclass(frozen=True)
class IntensityGaussian:
    """Intensity, edges and spread at three scales; Mahalanobis distance to healthy."""

    frame: FrameSettings = FrameSettings()
    texture: TextureSettings = TextureSettings()
    gaussian: GaussianSettings = GaussianSettings()
    map: MapSettings = MapSettings()

    def build(self) -> Detector:
        extractor = TextureExtractor(self.texture)
        return Detector(Frame(self.frame), extractor, GaussianScorer(self.gaussian), self.map)
