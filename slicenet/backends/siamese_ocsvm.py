"""The siamese auto-encoder under one-class machines (Alaverdyan et al., 2020; Pinon, 2023)."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.one_class_svm import OneClassSvmScorer, OneClassSvmSettings
from slicenet.scorers.positions import PositionSettings


@final
@dataclass(frozen=True)
class SiameseOcSvm:
    """Latents of patches that look alike in all brains; distance beyond one-class machines."""

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 2.0))
    siamese: SiameseSettings = SiameseSettings()
    one_class_svm: OneClassSvmSettings = OneClassSvmSettings()
    map: MapSettings = MapSettings(PositionSettings("z"), smooth=3.0)

    def build(self) -> Detector:
        extractor = SiameseExtractor(self.siamese)
        return Detector(
            Frame(self.frame), extractor, OneClassSvmScorer(self.one_class_svm), self.map
        )
