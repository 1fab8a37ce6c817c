"""Features of an encoder that knows whole brains again: the comparison by 3D SimCLR."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.encoder import LAYERS, Encoder, EncoderSettings
from slicenet.extractors.held_out import noting
from slicenet.extractors.kinship import KinshipSettings, learn_kinship
from slicenet.extractors.lattice import check_deep, check_whole, touching
from slicenet.extractors.shelf import Shelf
from slicenet.features import Extractor, FeatureMap
from slicenet.resampling import sample
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch


@dataclass(frozen=True)
class SimClrSettings:
    """Settings of `SimClrExtractor`."""

    encoder: EncoderSettings = EncoderSettings()
    learn: KinshipSettings = KinshipSettings()
    layers: tuple[int, ...] = (0, 1, 2, 3)  # that are read, from 0
    target: int = 1  # layer whose lattice all of them are brought to; 2 at the published 1 mm
    least: float = 0.5  # share of a cell that must be brain

    def __post_init__(self) -> None:
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ConfigError(f"layers: expected rising indices, got {self.layers}", "E_SETTING")
        if not all(0 <= layer < LAYERS for layer in (*self.layers, self.target)):
            raise ConfigError(f"layers and target: expected 0 to {LAYERS - 1}", "E_SETTING")
        if not 0 < self.least <= 1:
            raise ConfigError("least must be within 0 to 1", "E_SETTING")


@final
class SimClrExtractor(Extractor):
    """Layers of the encoder, each cell with those around it as trilinear interpolation has them."""

    settings: SimClrSettings
    sequences: Tensor  # [] int64, of a volume; 0 until fitted

    def __init__(self, settings: SimClrSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.seed = torch.initial_seed() % 2**31
        self.register_buffer("sequences", torch.tensor(0))
        self.encoder: Encoder | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """What is read of the encoder changes nothing of what it learns."""
        return f"{self.seed} {self.settings.encoder!r} {self.settings.learn!r}"

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        subjects = list[str]()
        with Shelf(noting(volumes, subjects)) as shelf, torch.enable_grad():
            check_deep(shelf.shape[-1], "simclr looks at whole brains in three dimensions")
            self.build(shelf.shape[0])
            assert self.encoder is not None
            reach = self.settings.encoder.reach()[self.settings.layers[-1]]
            watch("encoder", 1, 1, sees_voxels=reach, sees_mm=reach * min(shelf.spacing))
            learn = self.settings.learn
            learn_kinship(self.encoder, shelf, subjects, learn, self.seed, watch, savepoint)
        self.encoder.requires_grad_(False)

    def build(self, sequences: int) -> None:
        """An untrained encoder for volumes of so many sequences."""
        device = self.sequences.device
        self.sequences = torch.tensor(sequences, device=device)
        with weights_from(self.seed):
            self.encoder = Encoder(sequences, self.settings.encoder).to(device)

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        assert self.encoder is not None, "fitted, or loaded"
        settings = self.settings
        cell = settings.encoder.cells()[settings.target]
        steps = (cell, cell, cell)
        check_whole(volume.brain.shape, steps)
        inside = touching(volume.brain, steps, settings.least)
        voxels = volume.voxels.to(self.sequences.device)
        layers = self.encoder(voxels[None], max(settings.layers))
        shape = inside.shape
        read = [
            at_cells(layers[layer][0], settings.encoder.cells()[layer], cell, shape)
            for layer in settings.layers
        ]
        return FeatureMap(torch.cat(read)[:, inside.to(voxels.device)].T, inside)


def at_cells(layer: Tensor, own: int, cell: int, shape: Sequence[int]) -> Tensor:
    """A layer [C, x, y, z] with `own` voxels a cell, at the centres of cells of `cell` voxels.

    A layer's first cell is centred on the first voxel, a lattice's in the middle of its voxels.
    """
    to_layer = np.diag([cell / own] * 3 + [1.0])
    to_layer[:3, 3] = (cell - 1) / 2 / own
    x, y, z = shape
    return sample(layer, to_layer, (x, y, z), (np.inf, np.inf, np.inf))


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, an encoder for its sequences."""
    assert isinstance(module, SimClrExtractor)
    sequences = int(state[f"{prefix}sequences"])
    if sequences and (module.encoder is None or sequences != int(module.sequences)):
        module.build(sequences)
