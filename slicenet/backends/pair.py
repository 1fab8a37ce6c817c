"""Any extractor with any scorer, by name: what an ablation loops over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from slicenet.config import suggest
from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.categories import CategoryExtractor, CategorySettings
from slicenet.extractors.dagmm import DagmmExtractor, DagmmSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.extractors.score_norms import ScoreNormExtractor, ScoreNormSettings
from slicenet.extractors.siamese import SiameseExtractor, SiameseSettings
from slicenet.extractors.simclr import SimClrExtractor, SimClrSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.texture import TextureExtractor, TextureSettings
from slicenet.extractors.token_norms import TokenNormExtractor, TokenNormSettings
from slicenet.extractors.vqvae import VqVaeExtractor, VqVaeSettings
from slicenet.features import Extractor
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.gaussian import GaussianScorer, GaussianSettings
from slicenet.scorers.gnsm import GnsmScorer, GnsmSettings
from slicenet.scorers.histeq import HistEqScorer, HistEqSettings
from slicenet.scorers.lof import LofScorer, LofSettings
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.scorers.neighbours import NeighboursScorer, NeighboursSettings
from slicenet.scorers.one_class_svm import OneClassSvmScorer, OneClassSvmSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings
from slicenet.scoring import Scorer

SCORES = (  # what reads one
    'dagmm.read = "energy", siamese.read = ["residual"], vqvae.read = ["residual"], or '
    'slices.read = ["logit"] with slices.finetune.method = "lesions"'
)


@final
@dataclass(frozen=True)
class Pair:
    """One extractor and one scorer, each by its name; only the tables of these two count."""

    # Or categories, dagmm, intensity, score_norms, siamese, simclr, texture, token_norms, vqvae.
    extractor: str = "slices"
    # Or channel, flow, gnsm, histeq, lof, mixture, neighbours, one_class_svm, zscore.
    scorer: str = "gaussian"
    frame: FrameSettings = FrameSettings()
    categories: CategorySettings = CategorySettings(levels=8)
    dagmm: DagmmSettings = DagmmSettings()
    intensity: IntensitySettings = IntensitySettings()
    texture: TextureSettings = TextureSettings()
    score_norms: ScoreNormSettings = ScoreNormSettings()
    siamese: SiameseSettings = SiameseSettings()
    simclr: SimClrSettings = SimClrSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    token_norms: TokenNormSettings = TokenNormSettings()
    vqvae: VqVaeSettings = VqVaeSettings(read=("latent",), finer=1)
    channel: ChannelSettings = ChannelSettings()
    flow: FlowScorerSettings = FlowScorerSettings()
    gaussian: GaussianSettings = GaussianSettings()
    gnsm: GnsmSettings = GnsmSettings()
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

    def build(self) -> Detector:
        extractor, scorer = EXTRACTORS[self.extractor](self), SCORERS[self.scorer](self)
        _check(self, extractor, scorer)
        return Detector(Frame(self.frame), extractor, scorer, self.map)


EXTRACTORS: dict[str, Callable[[Pair], Extractor]] = {
    "categories": lambda pair: CategoryExtractor(pair.categories),
    "dagmm": lambda pair: DagmmExtractor(pair.dagmm),
    "intensity": lambda pair: IntensityExtractor(pair.intensity),
    "score_norms": lambda pair: ScoreNormExtractor(pair.score_norms),
    "siamese": lambda pair: SiameseExtractor(pair.siamese),
    "simclr": lambda pair: SimClrExtractor(pair.simclr),
    "slices": lambda pair: SliceExtractor(pair.slices),
    "texture": lambda pair: TextureExtractor(pair.texture),
    "token_norms": lambda pair: TokenNormExtractor(pair.token_norms),
    "vqvae": lambda pair: VqVaeExtractor(pair.vqvae),
}
SCORERS: dict[str, Callable[[Pair], Scorer]] = {
    "channel": lambda pair: ChannelScorer(pair.channel),
    "flow": lambda pair: FlowScorer(pair.flow),
    "gaussian": lambda pair: GaussianScorer(pair.gaussian),
    "gnsm": lambda pair: GnsmScorer(pair.gnsm),
    "histeq": lambda pair: HistEqScorer(pair.histeq),
    "lof": lambda pair: LofScorer(pair.lof),
    "mixture": lambda pair: MixtureScorer(pair.mixture),
    "neighbours": lambda pair: NeighboursScorer(pair.neighbours),
    "one_class_svm": lambda pair: OneClassSvmScorer(pair.one_class_svm),
    "zscore": lambda pair: ZScoreScorer(pair.zscore),
}


def _check(pair: Pair, extractor: Extractor, scorer: Scorer) -> None:
    """Refuse two that do not go together, before either has done any work."""
    ranks, judges = isinstance(scorer, HistEqScorer), isinstance(scorer, GnsmScorer)
    wants = -scorer.settings.index if isinstance(scorer, ChannelScorer) else 0  # answers
    several = isinstance(scorer, FlowScorer)
    for wrong, what, advice in (
        (ranks and pair.extractor != "intensity", "intensities", 'extractor = "intensity"'),
        (judges and not extractor.categorical, "categories", 'vqvae.read = ["token"]'),
        (extractor.categorical and not judges, "numbers, not categories", 'scorer = "gnsm"'),
        (wants > extractor.answers, f"a score as channel {-wants}", SCORES),
        (several and extractor.single, "several channels", "to read more of it"),
    ):
        if wrong:
            text = f"{pair.scorer} takes {what}, which {pair.extractor} does not give"
            raise ConfigError(text, "E_PAIR", f"{advice} would do")
