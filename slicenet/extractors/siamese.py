"""What a siamese patch auto-encoder makes of the patch around each cell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.colocated import Colocated
from slicenet.extractors.held_out import noting
from slicenet.extractors.lattice import check_deep, strides, touching
from slicenet.extractors.patch_coder import Coder, CoderSettings
from slicenet.extractors.shelf import Shelf
from slicenet.extractors.twinning import TwinSettings, learn_twins, scaled
from slicenet.extractors.windows import Part, parts
from slicenet.features import Extractor, FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

READ = ("latent", "residual")
RANGE = (0.01, 0.99)  # ranks in each brain that become 0 and 1, on average over the cohort
VOXELS = 4_000_000  # of patches that are decoded at once, so that memory stays flat


@dataclass(frozen=True)
class SiameseSettings:
    """Settings of `SiameseExtractor`."""

    coder: CoderSettings = CoderSettings()
    learn: TwinSettings = TwinSettings()
    read: tuple[str, ...] = ("latent",)  # and residual: how badly the patch was rebuilt
    # Voxels along an axis, in the middle of a patch, whose error is the residual; 1 as published.
    core: int = 5
    cell: float = 4.0  # mm from one patch to the next; one voxel as published
    least: float = 0.5  # share of a cell that must be brain

    def __post_init__(self) -> None:
        if not self.read or [one for one in READ if one in self.read] != list(self.read):
            raise ConfigError(f"read: expected some of {', '.join(READ)}, so ordered", "E_SETTING")
        if self.core % 2 == 0 or not 1 <= self.core <= self.coder.edge:
            raise ConfigError(f"core: expected an odd number to {self.coder.edge}", "E_SETTING")
        if self.cell <= 0 or not 0 < self.least <= 1:
            raise ConfigError("cell must be positive and least within 0 to 1", "E_SETTING")


@final
class SiameseExtractor(Extractor):
    """Latent vectors, by the encoder run over slices or volumes, and errors of the decoder."""

    settings: SiameseSettings
    sequences: Tensor  # [] int64, of a volume; 0 until fitted
    low: Tensor  # [M] what becomes 0
    high: Tensor  # [M] what becomes 1

    def __init__(self, settings: SiameseSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.answers = int("residual" in settings.read)
        self.single = settings.read == ("residual",)
        self.seed = torch.initial_seed() % 2**31
        self.register_buffer("sequences", torch.tensor(0))
        self.register_buffer("low", torch.empty(0))
        self.register_buffer("high", torch.empty(0))
        self.coder: Coder | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """What is read of the coder, and where, changes nothing of what it learns."""
        return f"{self.seed} {self.settings.coder!r} {self.settings.learn!r}"

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        subjects = list[str]()
        with Shelf(noting(volumes, subjects)) as shelf, torch.enable_grad():
            self._check_depth(shelf.shape[-1])
            self.build(shelf.shape[0])
            assert self.coder is not None
            edge = self.settings.coder.edge
            watch("patches", 1, 1, voxels=edge, mm=edge * min(shelf.spacing))
            low, high = _range(shelf)
            self.low, self.high = low.to(self.low.device), high.to(self.high.device)
            flat = self.settings.coder.dimensions == 2
            sides = (edge, edge, 1 if flat else edge)
            pairs = Colocated.on(shelf, subjects, sides, self.seed)
            learn_twins(
                self.coder, pairs, (self.low, self.high), self.settings.learn, watch, savepoint
            )
        self.coder.requires_grad_(False)

    def build(self, sequences: int) -> None:
        """An untrained coder for volumes of so many sequences."""
        device = self.sequences.device
        self.sequences = torch.tensor(sequences, device=device)
        self.low, self.high = torch.zeros(sequences), torch.ones(sequences)
        self.low, self.high = self.low.to(device), self.high.to(device)
        with weights_from(self.seed):
            self.coder = Coder(sequences, self.settings.coder).to(device).eval()

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        assert self.coder is not None, "fitted, or loaded"
        self._check_depth(volume.brain.shape[-1])
        steps = strides(volume, self.settings.cell)
        inside = touching(volume.brain, steps, self.settings.least)
        flat, coder = inside.flatten(), self.settings.coder
        number = flat.cumsum(0) - 1  # of the vector of each cell
        found = torch.empty(int(flat.sum()), self._channels(), device=self.low.device)
        for part in parts(volume.voxels, coder.dimensions, coder.edge, steps):
            which = flat[part.cells]
            if which.any():
                found[number[part.cells[which]].to(found.device)] = self._read(part, which)
        return FeatureMap(found, inside)

    def _read(self, part: Part, which: Tensor) -> Tensor:
        """What is read of the patches of some cells of a part, [K, C]."""
        assert self.coder is not None
        images = scaled(part.images.to(self.low.device), self.low, self.high, axis=1)
        latents = self.coder.dense(images, part.steps).movedim(1, -1)[which.to(images.device)]
        if self.settings.read == ("latent",):
            return latents
        residual = self._residual(Part(images, part.cells, part.steps), which, latents)
        both = {"latent": latents, "residual": residual[:, None]}
        return torch.cat([both[one] for one in self.settings.read], 1)

    def _residual(self, part: Part, which: Tensor, latents: Tensor) -> Tensor:
        """Root of the mean, over the core of a patch, of squared errors summed over sequences."""
        assert self.coder is not None
        edge, dimensions = self.settings.coder.edge, self.settings.coder.dimensions
        core = self.settings.core
        places = which.nonzero().to(latents.device)  # [K, axes], in the order of the latents
        rows = max(1, VOXELS // edge**dimensions)
        found = []
        for here, ours in zip(places.split(rows), latents.split(rows), strict=True):
            patches = part.patches(here, edge)
            for axis in range(2, 2 + dimensions):
                patches = patches.narrow(axis, (edge - core) // 2, core)
            wrong = patches - self.coder.decode(ours, core)
            found.append(wrong.square().sum(1).flatten(1).mean(1).sqrt())
        return torch.cat(found)

    def _channels(self) -> int:
        widths = {"latent": self.settings.coder.widths[-1], "residual": 1}
        return sum(widths[one] for one in self.settings.read)

    def _check_depth(self, slices: int) -> None:
        if self.settings.coder.dimensions == 3:
            check_deep(slices, "siamese looks at patches in three dimensions")


def _range(shelf: Shelf) -> tuple[Tensor, Tensor]:
    """Mean low and high end of the brains of a shelf, both [M]."""
    found = []
    for index in range(len(shelf)):
        voxels, brain = shelf[index]
        found.append(np.quantile(voxels[:, brain].numpy(), RANGE, axis=1))  # [2, M]
    low, high = torch.from_numpy(np.mean(found, 0)).float()
    return low, high


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, a coder for its sequences."""
    assert isinstance(module, SiameseExtractor)
    sequences = int(state[f"{prefix}sequences"])
    if sequences and (module.coder is None or sequences != int(module.sequences)):
        module.build(sequences)
