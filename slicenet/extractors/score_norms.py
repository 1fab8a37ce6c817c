"""How far a brain is pulled towards what is healthy, at many levels of noise: MSMA and its maps.

A network learns the score of noisy healthy voxels; features are the norms of its scores, times the
noise, of the brain as it is (Mahmood et al., 2021).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.denoising import DenoisingSettings, learn_scores
from slicenet.extractors.held_out import hold_out, noting
from slicenet.extractors.lattice import check_deep
from slicenet.extractors.norms_of_scores import around_voxels, of_brain, of_slices
from slicenet.extractors.score_model import NoiseLevelSettings, ScoreModel
from slicenet.extractors.score_networks import ScoreNetwork, ScoreNetworkSettings
from slicenet.extractors.score_patches import PLACES, Patches, around, cut_out, told
from slicenet.extractors.shelf import Shelf
from slicenet.features import Extractor, FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

SCOPES = ("voxel", "slice", "volume")
MARGIN = 4  # voxels around the brain that are looked at
SLICES = 16  # at a time
LEAST = 1e-6  # norm, so that it has a logarithm


@dataclass(frozen=True)
class ScoreNormSettings:
    """Settings of `ScoreNormExtractor`. Intensities are those of the frame."""

    network: ScoreNetworkSettings = ScoreNetworkSettings()
    # Few and large: smaller noise tells less of simulated lesions, and among more levels a density
    # looks at what differs from one healthy brain to the next.
    levels: NoiseLevelSettings = NoiseLevelSettings(3, 0.8, 5.0)
    learn: DenoisingSettings = DenoisingSettings()
    patch: int = 32  # voxels along each axis of what a step sees
    places: bool = True  # tell the network where voxels lie, which is not published
    # Share of the subjects that teach the network nothing and leave their norms to the scorer. With
    # 0 it learns from norms of what the network has learnt, as published.
    held: float = 0.4
    scope: str = "voxel"  # a norm for each; or one for a slice, one for the volume
    window: int = 3  # voxels along each axis that a voxel's norm is over
    log: bool = False  # logarithms of norms, of which lesions stand out less

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ConfigError(f"scope: have {', '.join(SCOPES)}; got {self.scope!r}", "E_SETTING")
        if self.patch < 1 or self.patch % self.network.unit:
            raise ConfigError(
                f"patch: expected a multiple of {self.network.unit}, for depth "
                f"{self.network.depth}", "E_SETTING",
            )  # fmt: skip
        if not 0 <= self.held < 1 or self.window < 1 or self.window % 2 == 0:
            raise ConfigError(
                "held: expected a share from 0 to below 1, window an odd number", "E_SETTING"
            )


@final
class ScoreNormExtractor(Extractor):
    """One norm a level, of the scores around each voxel, of each slice or of the volume."""

    settings: ScoreNormSettings
    sequences: Tensor  # [] int64, of a volume; 0 until fitted
    held: Tensor  # [H] int64, places of the volumes that taught the network nothing

    def __init__(self, settings: ScoreNormSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.seed = torch.initial_seed() % 2**31
        self.register_buffer("sequences", torch.tensor(0))
        self.register_buffer("held", torch.zeros(0, dtype=torch.int64))
        self.model: ScoreModel | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """How norms are taken changes nothing of what the network learns."""
        own = self.settings
        ends = own.levels.least, own.levels.most
        return (
            f"{self.seed} {own.network!r} {own.learn!r} {ends} {own.patch} {own.places} {own.held}"
        )

    def spared(self, count: int) -> Sequence[int]:
        return self.held.tolist() or range(count)

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        own, subjects = self.settings, list[str]()
        with Shelf(noting(volumes, subjects)) as shelf:
            if own.network.axes == 3:
                check_deep(shelf.shape[-1], "this network looks at brains in three dimensions")
            held = hold_out(subjects, own.held, self.seed)
            taught = [place for place in range(len(shelf)) if place not in set(held)]
            self.held = torch.tensor(held, dtype=torch.int64, device=self.held.device)
            self.build(shelf.shape[0])
            assert self.model is not None
            patches = Patches(
                shelf, taught, own.network.axes, own.patch, own.learn.batch, own.places, self.seed
            )
            self.model.scale.copy_(patches.scale())
            learn_scores(
                self.model, patches.at, own.levels, own.learn, self.seed, watch, "norms.learn",
                savepoint,
            )  # fmt: skip

    def build(self, sequences: int) -> None:
        """An untrained network for volumes of so many sequences."""
        device = self.sequences.device
        self.sequences = torch.tensor(sequences, device=device)
        beside = 1 + (PLACES if self.settings.places else 0)
        with weights_from(self.seed):
            network = ScoreNetwork(sequences + beside, sequences, self.settings.network)
        self.model = ScoreModel(network).to(device)

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        brain = volume.brain
        squares = self.squares(volume)
        if self.settings.scope == "voxel":
            norms, inside = around_voxels(squares, brain, self.settings.window), brain
        elif self.settings.scope == "slice":
            norms, inside = of_slices(squares, brain)
        else:
            norms, inside = of_brain(squares, brain)
        return FeatureMap(norms.clamp(min=LEAST).log() if self.settings.log else norms, inside)

    @torch.no_grad()
    def squares(self, volume: Volume) -> Tensor:
        """Squared scores times the noise, summed over the sequences, [L, X, Y, Z]; 0 elsewhere."""
        assert self.model is not None, "fitted, or loaded"
        own, brain = self.settings, volume.brain
        unit = own.network.unit
        window = around(brain, MARGIN, (unit, unit, unit if own.network.axes == 3 else 1))
        voxels, inside = cut_out(volume.voxels, brain, window)
        context = told(inside, window, brain.shape, own.places)
        found = torch.stack([
            self._at(voxels, context, level) * inside for level in own.levels.levels()
        ])  # fmt: skip
        squares = torch.zeros(len(found), *brain.shape)
        squares[:, brain] = found[:, inside]
        return squares

    def _at(self, voxels: Tensor, context: Tensor, level: Tensor) -> Tensor:
        """Squared scores at one level, [*window]."""
        if self.settings.network.axes == 3:
            return self._scores(voxels[None], context[None], level)[0]
        slices, beside = voxels.movedim(-1, 0), context.movedim(-1, 0)  # [S, C, H, W]
        parts = zip(slices.split(SLICES), beside.split(SLICES), strict=True)
        return torch.cat([self._scores(*part, level) for part in parts]).movedim(0, -1)

    def _scores(self, samples: Tensor, context: Tensor, level: Tensor) -> Tensor:
        assert self.model is not None
        device = self.model.scale.device
        levels = level.to(device).expand(len(samples))
        return self.model(samples.to(device), levels, context.to(device)).square().sum(1).cpu()


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, a network for its sequences, and room for its places."""
    assert isinstance(module, ScoreNormExtractor)
    module.held = torch.zeros_like(state[f"{prefix}held"], device=module.held.device)
    sequences = int(state[f"{prefix}sequences"])
    if sequences and (module.model is None or sequences != int(module.sequences)):
        module.build(sequences)
