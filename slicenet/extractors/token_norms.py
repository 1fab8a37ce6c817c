"""Score matching on the tokens of slices: how far each is pulled towards healthy ones.

Not published: MSMA on features in place of voxels. A small network that is told the place learns
the score of noisy healthy tokens; features are its norms at many levels of noise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import drawing, weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.denoising import Clean, DenoisingSettings, learn_scores
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.held_out import Noted, hold_out
from slicenet.extractors.score_model import NoiseLevelSettings, ScoreModel
from slicenet.extractors.score_networks import VectorNetwork
from slicenet.extractors.shelf import halved
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.features import Extractor, FeatureMap
from slicenet.flows.position import position_code
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

PLACE = (16, 16, 16)  # channels that tell where a token lies
ROWS = 8192  # tokens at once
LEAST = 1e-6  # norm, so that it has a logarithm; and share of the largest variance of a direction


@dataclass(frozen=True)
class TokenNormSettings:
    """Settings of `TokenNormExtractor`."""

    slices: SliceSettings = SliceSettings(finetune=FinetuneSettings(method="none"))
    components: int = 64  # principal, each brought to unit spread; 0: all channels, standardised
    width: int = 256  # of the network
    blocks: int = 3
    levels: NoiseLevelSettings = NoiseLevelSettings(3, 0.8, 5.0)  # in spreads of a component
    learn: DenoisingSettings = DenoisingSettings(steps=3000, batch=1024)
    tokens: int = 400_000  # healthy ones that the network learns from, as many of every volume
    # Share of the subjects that teach it nothing, for the scorer; slices that are fine-tuned learn
    # from all of them.
    held: float = 0.4
    log: bool = False  # logarithms of norms

    def __post_init__(self) -> None:
        if min(self.width, self.blocks, self.tokens) < 1 or self.components < 0:
            raise ConfigError(
                "width, blocks and tokens count from 1, components from 0", "E_SETTING"
            )
        if not 0 <= self.held < 1:
            raise ConfigError("held: expected a share from 0 to below 1", "E_SETTING")


@final
class TokenNormExtractor(Extractor):
    """One norm a level for every token that `SliceExtractor` has."""

    settings: TokenNormSettings
    held: Tensor  # [H] int64, places of the volumes that taught the score network nothing
    mean: Tensor  # [C] of tokens
    basis: Tensor  # [C, K] that brings them to unit spread; 0 columns until fitted

    def __init__(self, settings: TokenNormSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.seed = torch.initial_seed() % 2**31
        self.slices = SliceExtractor(settings.slices)
        self.notices = self.slices.notices
        self.register_buffer("held", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(0))
        self.register_buffer("basis", torch.zeros(0, 0))
        self.model: ScoreModel | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """How norms are taken changes nothing of what the network learns."""
        own = self.settings
        ends, sizes = (own.levels.least, own.levels.most), (own.components, own.width, own.blocks)
        taught = f"{own.slices!r} {own.learn!r} {ends} {sizes} {own.tokens} {own.held}"
        return f"{self.seed} {self.slices.lessons()} {taught}"

    def learnt_from(self) -> tuple[str, ...]:
        return self.slices.learnt_from()

    def spared(self, count: int) -> Sequence[int]:
        return self.held.tolist() or range(count)

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        own, noted = self.settings, Noted(volumes)
        self.slices.fit(noted, watch, savepoint)
        subjects = noted.subjects()
        held = hold_out(subjects, own.held, self.seed)
        self.held = torch.tensor(held, dtype=torch.int64, device=self.held.device)
        tokens = self._gather(volumes, set(range(len(subjects))) - set(held), watch)
        self.build(*whitening(tokens.values, own.components))
        assert self.model is not None
        learn_scores(
            self.model, _Lessons(tokens, self._seen, own.learn.batch, self.seed).at, own.levels,
            own.learn, self.seed, watch, "norms.learn", savepoint,
        )  # fmt: skip

    def build(self, mean: Tensor, basis: Tensor) -> None:
        """An untrained network for tokens that a basis [C, K] reduces around their mean [C]."""
        device = self.held.device
        # As a file has it: another order rounds otherwise.
        self.mean, self.basis = mean.to(device), basis.contiguous().to(device)
        kept = basis.shape[1]
        with weights_from(self.seed):
            network = VectorNetwork(
                kept + sum(PLACE), kept, self.settings.width, self.settings.blocks
            )
        self.model = ScoreModel(network).to(device)

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        assert self.model is not None, "fitted, or loaded"
        features = self.slices.extract(volume)
        places = _places(features).split(ROWS)
        tokens = self._seen(features.vectors).split(ROWS)
        norms = torch.cat([self._norms(*part) for part in zip(tokens, places, strict=True)])
        return FeatureMap(
            norms.clamp(min=LEAST).log() if self.settings.log else norms, features.inside
        )

    def _norms(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Lengths of scores times the noise, [N, L]."""
        assert self.model is not None
        levels, places = self.settings.levels.levels().to(tokens.device), places.to(tokens.device)
        scores = (self.model(tokens, level.expand(len(tokens)), places) for level in levels)
        return torch.stack([score.norm(dim=1) for score in scores], 1)

    def _seen(self, tokens: Tensor) -> Tensor:
        """What the network sees of tokens [N, C], [N, K]."""
        return (tokens.to(self.basis.device).float() - self.mean) @ self.basis

    @torch.no_grad()
    def _gather(self, volumes: Iterable[Volume], taught: set[int], watch: Watch) -> Clean:
        """Tokens of the volumes at these places, in half precision, and where they lie."""
        share = -(-self.settings.tokens // len(taught))
        values, places = [], []
        for index, volume in enumerate(volumes):
            if index not in taught:
                continue
            features = self.slices.extract(volume)
            chosen = torch.randperm(len(features.vectors), generator=drawing(self.seed, index))
            values.append(halved(features.vectors.cpu()[chosen[:share]]))
            places.append(_places(features)[chosen[:share]].half())
            watch("tokens", len(values), len(taught))
        return Clean(torch.cat(values), torch.cat(places), torch.ones(()))


@final
@dataclass(frozen=True, eq=False)
class _Lessons:
    """Tokens for each step, a function of (seed, step)."""

    tokens: Clean
    seen: Callable[[Tensor], Tensor]  # what the network sees of tokens
    count: int
    seed: int

    def at(self, step: int) -> Clean:
        total = len(self.tokens.values)
        chosen = torch.randint(total, (self.count,), generator=drawing(self.seed, step, 0))
        values = self.seen(self.tokens.values[chosen]).cpu()
        return Clean(values, self.tokens.context[chosen].float(), torch.ones(self.count, 1))


def whitening(tokens: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """The mean [C] of tokens [N, C], and what brings them to unit spread, [C, K].

    Along the directions of most variance, or, where no number of these is asked for, channel by
    channel.
    """
    mean, count = torch.zeros(tokens.shape[1], dtype=torch.float64), len(tokens)
    square = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for part in tokens.split(ROWS):
        mean += part.double().sum(0) / count
    for part in tokens.split(ROWS):
        around = part.double() - mean
        square += around.T @ around / count
    if not components:
        return mean.float(), _inverse(square.diagonal()).diag().float()
    if components > len(mean):
        raise ConfigError(f"components: {components} of {len(mean)} channels", "E_SETTING")
    variances, directions = torch.linalg.eigh(square)
    kept = directions[:, -components:] * _inverse(variances)[-components:]
    return mean.float(), kept.float()


def _inverse(variances: Tensor) -> Tensor:
    """One by the spread; a direction that hardly varies is not blown up."""
    return variances.clamp(min=max(float(LEAST * variances.max()), 1e-12)).rsqrt()


def _places(features: FeatureMap) -> Tensor:
    """The code of each token's place, [N, P]."""
    code = position_code(features.inside.shape, PLACE).flatten(0, 2)
    return code[features.cells().cpu()]


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, room for what it holds."""
    assert isinstance(module, TokenNormExtractor)
    module.held = torch.zeros_like(state[f"{prefix}held"], device=module.held.device)
    mean, basis = (state[f"{prefix}{name}"] for name in ("mean", "basis"))
    if basis.numel() and (module.model is None or basis.shape != module.basis.shape):
        module.build(torch.zeros_like(mean), torch.zeros_like(basis))
