"""PaDiM (Defard et al., 2021), in volumes.

Principal components stand for its random channels, and a covariance leans on the shared one where
few subjects were seen.
"""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings


@final
@dataclass(frozen=True)
class Padim:
    """Slices through an image network as it is; Mahalanobis distance to healthy at each place."""

    frame: FrameSettings = FrameSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    # A covariance a place: 24 x 28 x 32 of them take 0.7 GB in double precision, and a model file
    # that large. With the 100 channels of the paper it would be 1.7 GB.
    gaussian: GaussianSettings = GaussianSettings(covariance="position", components=64)
    map: MapSettings = MapSettings(smooth=4.0)  # as published, where 4 pixels are about as much

    def build(self) -> Detector:
        extractor = SliceExtractor(self.slices)
        return Detector(Frame(self.frame), extractor, GaussianScorer(self.gaussian), self.map)
