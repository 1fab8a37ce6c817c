"""Any extractor with any scorer, by name: what an ablation loops over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from slicenet.config import suggest
from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.extractors.simclr import SimClrExtractor, SimClrSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.texture import TextureExtractor, TextureSettings
from slicenet.features import Extractor
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings
from slicenet.scorers.histeq import HistEqScorer, HistEqSettings
from slicenet.scorers.lof import LofScorer, LofSettings
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings
from slicenet.scorers.one_class_svm import OneClassSvmScorer, OneClassSvmSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings
from slicenet.scoring import Scorer

ANSWER = "logit"  # what slices are read for last, and what is a score already


@final
@dataclass(frozen=True)
class Pair:
    """One extractor and one scorer, each by its name; only the tables of these two count."""

    extractor: str = "slices"  # or intensity, simclr, texture
    scorer: str = "gaussian"  # or channel, flow, histeq, lof, neighbours, one_class_svm, zscore
    frame: FrameSettings = FrameSettings()
    intensity: IntensitySettings = IntensitySettings()
    texture: TextureSettings = TextureSettings()
    simclr: SimClrSettings = SimClrSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    channel: ChannelSettings = ChannelSettings()
    flow: FlowScorerSettings = FlowScorerSettings()
    gaussian: GaussianSettings = GaussianSettings()
    histeq: HistEqSettings = HistEqSettings()
    lof: LofSettings = LofSettings()
    neighbours: NeighboursSettings = NeighboursSettings()
    one_class_svm: OneClassSvmSettings = OneClassSvmSettings()
    zscore: ZScoreSettings = ZScoreSettings()
    map: MapSettings = MapSettings()

    def __post_init__(self) -> None:
        if self.extractor not in EXTRACTORS:
            message = f"extractor: no {self.extractor!r}"
            raise ConfigError(message, "E_SETTING", suggest(self.extractor, list(EXTRACTORS)))
        if self.scorer not in SCORERS:
            message = f"scorer: no {self.scorer!r}"
            raise ConfigError(message, "E_SETTING", suggest(self.scorer, list(SCORERS)))
        _check(self)

    def build(self) -> Detector:
        extractor, scorer = EXTRACTORS[self.extractor](self), SCORERS[self.scorer](self)
        return Detector(Frame(self.frame), extractor, scorer, self.map)


EXTRACTORS: dict[str, Callable[[Pair], Extractor]] = {
    "intensity": lambda pair: IntensityExtractor(pair.intensity),
    "simclr": lambda pair: SimClrExtractor(pair.simclr),
    "slices": lambda pair: SliceExtractor(pair.slices),
    "texture": lambda pair: TextureExtractor(pair.texture),
}
SCORERS: dict[str, Callable[[Pair], Scorer]] = {
    "channel": lambda pair: ChannelScorer(pair.channel),
    "flow": lambda pair: FlowScorer(pair.flow),
    "gaussian": lambda pair: GaussianScorer(pair.gaussian),
    "histeq": lambda pair: HistEqScorer(pair.histeq),
    "lof": lambda pair: LofScorer(pair.lof),
    "neighbours": lambda pair: NeighboursScorer(pair.neighbours),
    "one_class_svm": lambda pair: OneClassSvmScorer(pair.one_class_svm),
    "zscore": lambda pair: ZScoreScorer(pair.zscore),
}


def _check(pair: Pair) -> None:
    """Refuse two that do not go together, before either has done any work."""
    answers = pair.extractor == "slices" and ANSWER in pair.slices.read
    if pair.scorer == "histeq" and pair.extractor != "intensity":
        raise ConfigError(
            f"histeq ranks intensities, and {pair.extractor} gives features", "E_PAIR",
            'extractor = "intensity" would do',
        )  # fmt: skip
    if pair.scorer == "channel" and not answers:
        raise ConfigError(
            f"channel is a score among the features, which {pair.extractor} has not", "E_PAIR",
            'slices.read = ["logit"] with slices.finetune.method = "lesions" would do',
        )  # fmt: skip
    alone = answers and len(pair.slices.read) == 1 and pair.slices.planes != "joined"
    if pair.scorer == "flow" and alone:
        raise ConfigError(
            "flow takes several channels, and slices that read the logit alone have one", "E_PAIR",
            'slices.read = ["intensity", "logit"] would do, or scorer = "channel"',
        )  # fmt: skip
