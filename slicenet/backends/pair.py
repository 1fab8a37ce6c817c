"""Any extractor with any scorer, by name: what an ablation loops over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from slicenet.config import suggest
from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.dagmm import DagmmExtractor, DagmmSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.extractors.simclr import SimClrExtractor, SimClrSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.texture import TextureExtractor, TextureSettings
from slicenet.extractors.vqvae import STRANGE, VqVaeExtractor, VqVaeSettings
from slicenet.features import Extractor
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings
from slicenet.scorers.histeq import HistEqScorer, HistEqSettings
from slicenet.scorers.lof import LofScorer, LofSettings
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings
from slicenet.scorers.one_class_svm import OneClassSvmScorer, OneClassSvmSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings
from slicenet.scoring import Scorer

# What features are read for last, and what is a score already.
ANSWERS = {
    "dagmm": ("energy",), "siamese": ("residual",), "slices": ("logit",), "vqvae": STRANGE
}  # fmt: skip
# What would give such a score.
CHANNELS = {
    "dagmm": 'dagmm.read = "energy"',
    "siamese": 'siamese.read = ["residual"]',
    "slices": 'slices.read = ["logit"] with slices.finetune.method = "lesions"',
    "vqvae": 'vqvae.read = ["residual"]',
}


@final
@dataclass(frozen=True)
class Pair:
    """One extractor and one scorer, each by its name; only the tables of these two count."""

    extractor: str = "slices"  # or dagmm, intensity, siamese, simclr, texture, vqvae
    # Or channel, flow, histeq, lof, mixture, neighbours, one_class_svm, zscore.
    scorer: str = "gaussian"
    frame: FrameSettings = FrameSettings()
    dagmm: DagmmSettings = DagmmSettings()
    intensity: IntensitySettings = IntensitySettings()
    texture: TextureSettings = TextureSettings()
    siamese: SiameseSettings = SiameseSettings()
    simclr: SimClrSettings = SimClrSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    vqvae: VqVaeSettings = VqVaeSettings(read=("latent",), finer=1)
    channel: ChannelSettings = ChannelSettings()
    flow: FlowScorerSettings = FlowScorerSettings()
    gaussian: GaussianSettings = GaussianSettings()
    histeq: HistEqSettings = HistEqSettings()
    lof: LofSettings = LofSettings()
    mixture: MixtureSettings = MixtureSettings()
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
    "dagmm": lambda pair: DagmmExtractor(pair.dagmm),
    "intensity": lambda pair: IntensityExtractor(pair.intensity),
    "siamese": lambda pair: SiameseExtractor(pair.siamese),
    "simclr": lambda pair: SimClrExtractor(pair.simclr),
    "slices": lambda pair: SliceExtractor(pair.slices),
    "texture": lambda pair: TextureExtractor(pair.texture),
    "vqvae": lambda pair: VqVaeExtractor(pair.vqvae),
}
SCORERS: dict[str, Callable[[Pair], Scorer]] = {
    "channel": lambda pair: ChannelScorer(pair.channel),
    "flow": lambda pair: FlowScorer(pair.flow),
    "gaussian": lambda pair: GaussianScorer(pair.gaussian),
    "histeq": lambda pair: HistEqScorer(pair.histeq),
    "lof": lambda pair: LofScorer(pair.lof),
    "mixture": lambda pair: MixtureScorer(pair.mixture),
    "neighbours": lambda pair: NeighboursScorer(pair.neighbours),
    "one_class_svm": lambda pair: OneClassSvmScorer(pair.one_class_svm),
    "zscore": lambda pair: ZScoreScorer(pair.zscore),
}


def _check(pair: Pair) -> None:
    """Refuse two that do not go together, before either has done any work."""
    every = {
        "dagmm": (pair.dagmm.read,), "siamese": pair.siamese.read, "slices": pair.slices.read,
        "vqvae": pair.vqvae.read,
    }  # fmt: skip
    read = every.get(pair.extractor, ())
    # A VQ-VAE gives what it reads in the order that is asked for; the others their answer last.
    ends = read[-1:] if pair.extractor == "vqvae" else read
    answers = any(one in ANSWERS.get(pair.extractor, ()) for one in ends)
    if pair.scorer == "histeq" and pair.extractor != "intensity":
        raise ConfigError(
            f"histeq ranks intensities, and {pair.extractor} gives features", "E_PAIR",
            'extractor = "intensity" would do',
        )  # fmt: skip
    if pair.scorer == "channel" and not answers:
        raise ConfigError(
            f"channel is a score among the features, which {pair.extractor} has not", "E_PAIR",
            CHANNELS.get(pair.extractor, CHANNELS["slices"]) + " would do",
        )  # fmt: skip
    joined = pair.extractor == "slices" and pair.slices.planes == "joined"
    if pair.scorer == "flow" and answers and len(read) == 1 and not joined:
        several = {"dagmm": '"latents"', "slices": '["intensity", "logit"]'}.get(
            pair.extractor, '["latent", "residual"]'
        )
        raise ConfigError(
            f"flow takes several channels, and {pair.extractor} of the {read[0]} alone has one",
            "E_PAIR", f'{pair.extractor}.read = {several} would do, or scorer = "channel"',
        )  # fmt: skip
