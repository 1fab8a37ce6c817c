"""PatchCore (Roth et al., 2022), in volumes, with channels brought to one scale."""

from dataclasses import dataclass
from typing import final

from slicenet.detector import Detector, MapSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings


@final
@dataclass(frozen=True)
class PatchCore:
    """Slices through an image network as it is; distance to the nearest of healthy features."""

    frame: FrameSettings = FrameSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    neighbours: NeighboursSettings = NeighboursSettings()
    map: MapSettings = MapSettings(smooth=4.0)  # as published, where 4 pixels are about as much

    def build(self) -> Detector:
        extractor = SliceExtractor(self.slices)
        return Detector(Frame(self.frame), extractor, NeighboursScorer(self.neighbours), self.map)
