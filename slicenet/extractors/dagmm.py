"""Codes and residuals of patches or of slice tokens, and their energy: DAGMM in volumes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import drawing, weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.compression import Compression, CompressionSettings, loss, moments
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.patches import PatchExtractor, PatchSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.features import Extractor, FeatureMap
from slicenet.flows.mixtures import Sums
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

SOURCES = ("patches", "slices")
READINGS = ("latents", "energy")
ROWS = 32_768  # vectors at once, so that memory stays flat


@dataclass(frozen=True)
class CompressingSettings:
    """How long and how fast the nets of DAGMM learn."""

    steps: int = 3000
    batch: int = 1024
    each: int = 4000  # vectors of every volume
    vectors: int = 400_000  # of all; of a larger cohort, fewer of every volume
    rate: float = 1e-3  # 1e-4 as published, for more steps
    decay: float = 0.0
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"  # constant, as published
    energy: float = 0.1  # share of the energy in the loss
    penalty: float = 0.005  # share of the inverse variances

    def __post_init__(self) -> None:
        check_budget(self, self.rate)
        if min(self.each, self.vectors) < 2 or min(self.energy, self.penalty) < 0:
            raise ConfigError(
                "each and vectors count from 2; energy and penalty from 0", "E_SETTING"
            )


@dataclass(frozen=True)
class DagmmSettings:
    """Settings of `DagmmExtractor`."""

    source: str = "patches"  # what is compressed; or slices, whose cells are the tokens
    patches: PatchSettings = PatchSettings()
    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    compression: CompressionSettings = CompressionSettings()
    learn: CompressingSettings = CompressingSettings()
    read: str = "latents"  # code and residuals; or energy, which is a score

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            message = f"source: have {', '.join(SOURCES)}; got {self.source!r}"
            raise ConfigError(message, "E_SETTING")
        if self.read not in READINGS:
            message = f"read: have {', '.join(READINGS)}; got {self.read!r}"
            raise ConfigError(message, "E_SETTING")


@final
class DagmmExtractor(Extractor):
    """Latents of the vectors of another extractor, or their energy under one frozen mixture."""

    settings: DagmmSettings
    channels: Tensor  # [] int64, of what is compressed; 0 until fitted

    def __init__(self, settings: DagmmSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.single = settings.read == "energy"
        self.answers = int(self.single)
        self.seed = torch.initial_seed() % 2**31
        sliced = settings.source == "slices"
        self.source: Extractor = (
            SliceExtractor(settings.slices) if sliced else PatchExtractor(settings.patches)
        )
        self.notices = self.source.notices
        self.register_buffer("channels", torch.tensor(0))
        self.network: Compression | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """What is read of the nets, and by which source not, changes nothing of what they learn."""
        own, source = self.settings, self.source
        return (
            f"{self.seed} {own.compression!r} {own.learn!r} {source.settings!r} {source.lessons()}"
        )

    def learnt_from(self) -> tuple[str, ...]:
        return self.source.learnt_from()

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        self.source.fit(volumes, watch, savepoint)
        drawn = self._gather(volumes)
        self.build(drawn.shape[1])
        assert self.network is not None
        self.network.meet(drawn)
        with torch.enable_grad():
            self._descend(self.network, drawn, watch, savepoint)
        self.network.requires_grad_(False).eval()
        self.network.freeze(reduce(add, (self._sums(volume) for volume in volumes)))

    def build(self, channels: int) -> None:
        """Untrained nets for vectors of so many channels."""
        device = self.channels.device
        self.channels = torch.tensor(channels, device=device)
        with weights_from(self.seed):
            self.network = Compression(channels, self.settings.compression).to(device)

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        assert self.network is not None, "fitted, or loaded"
        features = self.source.extract(volume)
        parts = [self._latents(part) for part in features.vectors.split(ROWS)]
        if self.settings.read == "energy":
            parts = [self.network.energy(part)[:, None].float() for part in parts]
        return FeatureMap(torch.cat(parts), features.inside)

    def _gather(self, volumes: Iterable[Volume]) -> Tensor:
        """As many vectors of every volume as memory allows, [N, C]."""
        most, drawn = self.settings.learn.vectors, list[Tensor]()
        for index, volume in enumerate(volumes):
            drawn.append(self._drawn(index, volume))
            if sum(map(len, drawn)) > 2 * most:  # not each time, for what is kept is copied
                drawn = _shared(drawn, most)
        return torch.cat(_shared(drawn, most))

    def _drawn(self, index: int, volume: Volume) -> Tensor:
        """Some vectors of a volume, [N, C]."""
        vectors = self.source.extract(volume).vectors.cpu()
        order = torch.randperm(len(vectors), generator=drawing(self.seed, 0, index))
        return vectors[order[: self.settings.learn.each]].float()

    def _descend(
        self, network: Compression, drawn: Tensor, watch: Watch, savepoint: Savepoint
    ) -> None:
        settings, compression = self.settings.learn, self.settings.compression
        shares = settings.energy, settings.penalty
        parts = [Part(network, settings.rate)]
        descent = Descent("dagmm.learn", parts, settings, watch, savepoint=savepoint)
        for step in descent.steps():
            draw = drawing(self.seed, 1, step)
            rows = torch.randint(len(drawn), (settings.batch,), generator=draw)
            noise = torch.rand(settings.batch, compression.estimate, generator=draw)
            standard = network.standard(drawn[rows])
            rebuilt, latents = network(standard)
            kept = (noise >= compression.drop).to(latents)
            memberships = network.memberships(latents, kept)
            value = loss(standard, rebuilt, latents, memberships, shares, compression.ridge)
            descent.learn(value)

    def _latents(self, vectors: Tensor) -> Tensor:
        assert self.network is not None, "fitted, or loaded"
        return self.network(self.network.standard(vectors))[1]

    @torch.no_grad()
    def _sums(self, volume: Volume) -> Sums:
        """Of all latents of a volume, each by the memberships that the estimation net gives it."""
        assert self.network is not None, "built before"
        vectors, found = self.source.extract(volume).vectors, list[Sums]()
        for part in vectors.split(ROWS):
            latents = self._latents(part)
            found.append(moments(latents, self.network.memberships(latents)))
        return reduce(add, found)


def _shared(parts: list[Tensor], most: int) -> list[Tensor]:
    """The first vectors of each part, as many of all; about `most` together."""
    share = -(-most // len(parts))
    return [part[:share].clone() for part in parts]


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, nets for its channels."""
    assert isinstance(module, DagmmExtractor)
    channels = int(state[f"{prefix}channels"])
    if channels and (module.network is None or channels != int(module.channels)):
        module.build(channels)
