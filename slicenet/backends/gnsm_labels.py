"""GNSM (arXiv 2304.03220) on label maps."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.categories import CategoryExtractor, CategorySettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.gnsm import GnsmScorer, GnsmSettings


@final
@dataclass(frozen=True)
class GnsmLabels:
    """Segmentations, not images: how strange each label is among its neighbours and in its place.

    It finds what is wrong with a segmentation, or with the anatomy that it shows.
    """

    frame: FrameSettings = FrameSettings(spacing=(2.0, 2.0, 2.0), intensity="labels")
    categories: CategorySettings = CategorySettings()
    gnsm: GnsmSettings = GnsmSettings()
    map: MapSettings = MapSettings(smooth=4.0)  # a cell: faults are larger than what varies

    def __post_init__(self) -> None:
        of_labels = self.frame.intensity == "labels"
        if of_labels == bool(self.categories.levels):
            raise ConfigError(
                "categories.levels are of intensities that the frame makes comparable"
                if of_labels else "labels come through no frame that changes intensities",
                "E_SETTING",
                "categories.levels=8 with frame.intensity=robust, or neither of the two",
            )  # fmt: skip

    def build(self) -> Detector:
        extractor = CategoryExtractor(self.categories)
        return Detector(Frame(self.frame), extractor, GnsmScorer(self.gnsm), self.map)
