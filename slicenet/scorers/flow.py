"""How unlikely a vector is under a conditional flow: the head of SimpleSliceNet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.anomalies import NoiseSettings
from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.fused import FusedFlow
from slicenet.flows.push_pull import PushPullSettings
from slicenet.savepoint import Savepoint
from slicenet.scorers.condition import CONDITIONS, directions, global_code, place_codes, summary
from slicenet.scorers.flow_training import CourseSettings, Lessons, learn
from slicenet.scorers.tokens import Corpus, read_corpus
from slicenet.scoring import Scorer
from slicenet.simulation import SimulationSettings
from slicenet.watch import Watch

STRANGE = ("noise", "lesions", "both")
PAIRED = ("triplet", "triplet_plos")


@dataclass(frozen=True)
class FlowScorerSettings:
    """Settings of `FlowScorer`."""

    flow: FlowSettings = FlowSettings()
    loss: PushPullSettings = PushPullSettings()
    condition: str = "volume"  # place in the volume; or plane (paper), global, none
    whole: int = 16  # channels of the code of the whole volume that `global` adds to the place
    standardise: bool = True  # channels by their healthy mean and deviation
    strange: str = "noise"  # vectors to push away: noise, lesions simulated in images, or both
    noise: NoiseSettings = NoiseSettings()
    lesions: SimulationSettings = SimulationSettings(least=1)
    course: CourseSettings = CourseSettings()

    def __post_init__(self) -> None:
        if self.condition not in CONDITIONS:
            raise ConfigError(
                f"condition: have {', '.join(CONDITIONS)}; got {self.condition!r}", "E_SETTING"
            )
        if self.strange not in STRANGE:
            raise ConfigError(
                f"strange: have {', '.join(STRANGE)}; got {self.strange!r}", "E_SETTING"
            )
        if self.loss.loss in PAIRED and self.strange != "noise":
            raise ConfigError(
                f"loss {self.loss.loss} compares a vector with itself and noise: strange=noise",
                "E_SETTING",
            )
        if self.whole < 1:
            raise ConfigError("whole counts from 1", "E_SETTING")


@final
class FlowScorer(Scorer):
    """Minus the log density of a vector given its place, in nats a channel."""

    settings: FlowScorerSettings
    learns = True
    sizes: Tensor  # [2] int64: channels of a vector and of its condition; 0 until fitted
    mean: Tensor  # [C] float64, of healthy vectors
    spread: Tensor  # [C] float64
    centre: Tensor  # [2C] float64, mean summary of a volume; empty without a global code
    along: Tensor  # [2C, G] float64

    def __init__(self, settings: FlowScorerSettings) -> None:
        super().__init__()
        self.settings = settings
        self.lesions = settings.lesions if settings.strange != "noise" else None
        self.seed = torch.initial_seed() % 2**31
        self.flow: ConditionalFlow | None = None
        self.register_buffer("sizes", torch.zeros(2, dtype=torch.int64))
        for name in ("mean", "spread", "centre", "along"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))
        self.register_load_state_dict_pre_hook(_grow)

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        corpus = read_corpus(maps, self.seed)
        if self.lesions is not None and not len(corpus.strange):
            raise ConfigError("strange: no map holds a simulated lesion", "E_TOO_FEW")
        codes = self._prepare(corpus)
        place = place_codes(self.settings.condition, corpus.lattice)
        channels = len(corpus.mean)
        self.build(channels, place.shape[1] + codes.shape[1])
        assert self.flow is not None
        lessons = Lessons(
            corpus, self.mean.cpu().float(), self.spread.cpu().float(), place, codes,
            self.settings.loss.loss, self.settings.strange, self.settings.noise, self.seed,
        )  # fmt: skip
        learn(self.flow, lessons, self.settings.loss, self.settings.course, watch, savepoint)

    @torch.no_grad()
    def score(self, features: FeatureMap) -> Tensor:
        assert self.flow is not None, "fitted, or loaded"
        device = self.sizes.device
        if not len(features.vectors):
            return torch.zeros(0, device=device)
        vectors = features.vectors.to(device, torch.float32)
        place = place_codes(self.settings.condition, features.inside.shape)
        condition = place[features.cells().cpu()].to(device)
        if self.along.numel():
            code = self._code(vectors.double())
            condition = torch.cat((condition, code.expand(len(condition), -1)), 1)
        standard = (vectors - self.mean.float()) / self.spread.float()
        # Made anew each time: it costs little beside a volume, and can never be out of date.
        return -FusedFlow(self.flow).log_density(standard, condition)

    def build(self, channels: int, condition: int) -> None:
        """An untrained flow for vectors and conditions of these widths."""
        if channels < 2:
            raise ConfigError(
                "flow: a single channel needs no flow", "E_SETTING",
                "several sequences, slices that read more, or another scorer",
            )  # fmt: skip
        self.sizes = torch.tensor([channels, condition], device=self.sizes.device)
        # Every training seed turns and starts in its own way.
        settings = replace(self.settings.flow, seed=self.settings.flow.seed + self.seed)
        self.flow = ConditionalFlow(channels, condition, settings).to(self.sizes.device)

    def _prepare(self, corpus: Corpus) -> Tensor:
        """Set the statistics; the global code of each volume, [V, G]."""
        device = self.sizes.device
        self.mean, self.spread = torch.zeros_like(corpus.mean), torch.ones_like(corpus.spread)
        if self.settings.standardise:
            # A channel that never changes says nothing, whatever it is divided by.
            self.mean, self.spread = corpus.mean, corpus.spread.clamp(min=1e-6)
        codes = torch.zeros(len(corpus.means), 0)
        if self.settings.condition == "global":
            found = summary(corpus.means, corpus.spreads, self.mean, self.spread)
            self.centre, self.along = found.mean(0), directions(found, self.settings.whole)
            codes = global_code(found, self.centre, self.along)
        for name in ("mean", "spread", "centre", "along"):
            setattr(self, name, getattr(self, name).to(device))
        return codes

    def _code(self, vectors: Tensor) -> Tensor:
        """The global code of one volume, [1, G]."""
        moments = vectors.mean(0, keepdim=True), vectors.std(0, correction=0, keepdim=True)
        return global_code(summary(*moments, self.mean, self.spread), self.centre, self.along)


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, a flow of its widths."""
    assert isinstance(module, FlowScorer)
    sizes = state[f"{prefix}sizes"].tolist()
    if any(sizes) and (module.flow is None or sizes != module.sizes.tolist()):
        module.build(*sizes)
