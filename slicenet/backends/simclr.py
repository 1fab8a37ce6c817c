"""The comparison: 3D SimCLR under Gaussians."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.simclr import SimClrExtractor, SimClrSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings


@final
@dataclass(frozen=True)
class SimClr:
    """An encoder that tells whole brains apart; Mahalanobis distance to healthy at each place."""

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 2.0))
    simclr: SimClrSettings = SimClrSettings()
    gaussian: GaussianSettings = GaussianSettings(covariance="position", components=64, log=True)
    map: MapSettings = MapSettings()

    def build(self) -> Detector:
        extractor = SimClrExtractor(self.simclr)
        return Detector(Frame(self.frame), extractor, GaussianScorer(self.gaussian), self.map)
