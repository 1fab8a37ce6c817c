"""What a VQ-VAE makes of axial slices: how far it is off, its tokens, and how probable they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.codebook import perplexity
from slicenet.extractors.foretelling import ForetellingSettings, learn_prior
from slicenet.extractors.held_out import hold_out, noting
from slicenet.extractors.lattice import check_whole, pool, touching
from slicenet.extractors.orders import OrderSettings, orders
from slicenet.extractors.prior import Prior, PriorSettings
from slicenet.extractors.restoring import (
    Reading,
    RestoringSettings,
    improbable,
    masked,
    readings,
    restored,
)
from slicenet.extractors.slice_pool import gather
from slicenet.extractors.token_grids import TokenGrid
from slicenet.extractors.tokeniser import Tokeniser, TokeniserSettings
from slicenet.extractors.tokenising import TokenisingSettings, cells, learn_tokens, limited
from slicenet.features import Extractor, FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

FORETOLD = ("surprise", "restored")  # what needs the prior
STRANGE = ("residual", "distance", *FORETOLD)  # what is a score already, a channel each
READ = (*STRANGE, "latent", "token")
AT_ONCE = 16  # slices, so that memory stays flat
HELD = 0.1  # share of the subjects that teach the prior nothing, and tell what is improbable
SPARING = 5  # subjects, of fewer than which none can be spared


@dataclass(frozen=True)
class VqVaeSettings:
    """Settings of `VqVaeExtractor`."""

    # One channel each, but for the latent: how far what is given back is off; how far a latent is
    # from its code; the latent itself; the index of its code, a whole number; -log of the token's
    # probability; and how far a restoration is off, near what it restored.
    read: tuple[str, ...] = ("residual",)
    finer: int = 4  # cells for a token along each side; one slice thick all of them
    least: float = 0.5  # share of a cell that must be brain
    network: TokeniserSettings = TokeniserSettings()
    learn: TokenisingSettings = TokenisingSettings()
    prior: PriorSettings = PriorSettings()
    foretell: ForetellingSettings = ForetellingSettings()
    order: OrderSettings = OrderSettings()
    restore: RestoringSettings = RestoringSettings()

    def __post_init__(self) -> None:
        if not self.read or not set(self.read) <= set(READ):
            raise ConfigError(f"read: have {', '.join(READ)}; got {self.read}", "E_SETTING")
        if self.finer < 1 or self.network.cell % self.finer:
            raise ConfigError(
                f"finer: expected a share of the {self.network.cell} pixels of a token", "E_SETTING"
            )
        if not 0 < self.least <= 1:
            raise ConfigError("least must be within 0 to 1", "E_SETTING")

    @property
    def foretold(self) -> bool:
        """Whether a prior is needed."""
        return not set(FORETOLD).isdisjoint(self.read)


@final
class VqVaeExtractor(Extractor):
    """Cells of axial slices; what a token stands for as a whole is the same in all its cells."""

    settings: VqVaeSettings
    sequences: Tensor  # [] int64, of a volume; 0 until fitted
    limit: Tensor  # [] float32, nats, from which on a token is improbable

    def __init__(self, settings: VqVaeSettings) -> None:
        super().__init__()
        self.settings = settings
        self.learns = True
        self.answers = len(list(takewhile(STRANGE.__contains__, reversed(settings.read))))
        self.single = len(settings.read) == 1 and settings.read != ("latent",)
        self.categorical = settings.read == ("token",)
        self.seed = torch.initial_seed() % 2**31
        self.register_buffer("sequences", torch.tensor(0))
        self.register_buffer("limit", torch.zeros(()))
        self.tokeniser: Tokeniser | None = None
        self.prior: Prior | None = None
        self.register_load_state_dict_pre_hook(_grow)

    def lessons(self) -> str:
        """What is read changes nothing of what is learnt, but for whether there is a prior."""
        own = self.settings
        after = f"{own.prior!r} {own.foretell!r} {own.order!r} {own.restore.rare}"
        return f"{self.seed} {own.network!r} {own.learn!r} {after if own.foretold else ''}"

    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        self._check(next(iter(volumes)))
        with torch.enable_grad():
            (pool,) = gather(volumes, ("axial",), 1, self.settings.learn.each, self.seed)
            self.build(pool.voxels.shape[1])
            assert self.tokeniser is not None
            learn_tokens(self.tokeniser, pool, self.settings.learn, self.seed, watch, savepoint)
            del pool
            self.tokeniser.requires_grad_(False)
            subjects = list[str]()
            grids = [self.tokens(volume) for volume in noting(volumes, subjects)]
            used = torch.cat([grid.tokens[grid.inside] for grid in grids])
            found = perplexity(used, self.settings.network.codes)
            watch("tokens", len(grids), len(grids), perplexity=found)
            if self.prior is not None:
                self._foretell(grids, subjects, watch, savepoint)

    def build(self, sequences: int) -> None:
        """Untrained networks for volumes of so many sequences."""
        own, device = self.settings, self.sequences.device
        self.sequences = torch.tensor(sequences, device=device)
        with weights_from(self.seed):
            self.tokeniser = Tokeniser(sequences, own.network).to(device)
            if own.foretold:
                self.prior = Prior(own.network.codes, own.prior).to(device)

    @torch.no_grad()
    def tokens(self, volume: Volume) -> TokenGrid:
        """The tokens of a framed volume, as they are and never as training varies slices."""
        assert self.tokeniser is not None, "fitted, or loaded"
        found = [self.tokeniser.codebook.nearest(part) for part in self._latents(volume)]
        return TokenGrid(torch.cat(found), self._inside(volume))

    @torch.no_grad()
    def extract(self, volume: Volume) -> FeatureMap:
        assert self.tokeniser is not None, "fitted, or loaded"
        own, cell = self.settings, self.settings.network.cell
        self._check(volume)
        latents = torch.cat(list(self._latents(volume)))  # [S, x, y, C]
        tokens = self.tokeniser.codebook.nearest(latents)
        grid = TokenGrid(tokens, self._inside(volume))
        foretold = self._readings(grid) if own.foretold else []
        found: dict[str, Callable[[], Tensor]] = {
            "residual": lambda: self._off(volume, tokens),
            "distance": lambda: (latents - self._codes(tokens)).square().sum(3, True).sqrt(),
            "latent": lambda: latents,
            "token": lambda: tokens[..., None].float(),
            "surprise": lambda: torch.stack([one.surprise for one in foretold]).mean(0)[..., None],
            "restored": lambda: self._restoration(volume, grid, foretold),
        }
        fine = (cell // own.finer, cell // own.finer, 1)
        inside = touching(volume.brain, fine, own.least)
        parts = [self._at_cells(found[name](), volume.brain, fine) for name in own.read]
        vectors = torch.cat([part[:, inside.to(part.device)] for part in parts]).T
        return FeatureMap(vectors.contiguous(), inside)

    def _at_cells(self, values: Tensor, brain: Tensor, fine: tuple[int, int, int]) -> Tensor:
        """Values of voxels [X, Y, Z], or of tokens [S, x, y, C], on the lattice [C, x, y, z]."""
        if values.ndim == 3:
            return pool(values[None], brain.to(values.device), fine)
        lattice = values.permute(3, 1, 2, 0)
        return lattice.repeat_interleave(self.settings.finer, 1).repeat_interleave(
            self.settings.finer, 2
        )

    def _restoration(self, volume: Volume, grid: TokenGrid, read: list[Reading]) -> Tensor:
        """How far restorations are off near what they restored, [X, Y, Z]; mean over orders."""
        blur = (self.settings.restore.blur / volume.spacing).tolist()
        found = []
        for one in read:
            change = self._off(volume, restored(grid, one, float(self.limit)))
            where = improbable(one, float(self.limit))
            found.append(masked(change, where, self.settings.network.cell, blur))
        return torch.stack(found).mean(0)

    def _readings(self, grid: TokenGrid) -> list[Reading]:
        assert self.prior is not None, "fitted, or loaded"
        return readings(self.prior, grid, orders(self.settings.order, grid.tokens.shape[1:]))

    def _off(self, volume: Volume, tokens: Tensor) -> Tensor:
        """Root mean square over sequences of what tokens [S, x, y] leave unsaid, [X, Y, Z]."""
        assert self.tokeniser is not None, "fitted, or loaded"
        found = []
        for part, own in zip(self._slices(volume), tokens.split(AT_ONCE), strict=True):
            given = self.tokeniser.restore(own)
            found.append((part - given).square().mean(1).sqrt())
        return torch.cat(found).movedim(0, 2)

    def _codes(self, tokens: Tensor) -> Tensor:
        assert self.tokeniser is not None, "fitted, or loaded"
        return self.tokeniser.codebook.of(tokens)

    def _latents(self, volume: Volume) -> Iterator[Tensor]:
        """Those of a few slices at a time, [S, x, y, C]."""
        assert self.tokeniser is not None, "fitted, or loaded"
        return map(self.tokeniser.latents, self._slices(volume))

    def _slices(self, volume: Volume) -> Sequence[Tensor]:
        """A few slices at a time, [S, M, X, Y]."""
        return limited(volume.voxels.to(self.sequences.device)).movedim(3, 0).split(AT_ONCE)

    def _check(self, volume: Volume) -> None:
        cell = self.settings.network.cell
        check_whole(volume.brain.shape, (cell, cell, 1))

    def _inside(self, volume: Volume) -> Tensor:
        """Tokens that stand for any brain, [S, x, y] bool."""
        brain = volume.brain.to(self.sequences.device).movedim(2, 0)
        return cells(brain, self.settings.network.cell)

    def _foretell(
        self, grids: list[TokenGrid], subjects: list[str], watch: Watch, savepoint: Savepoint
    ) -> None:
        """Train the prior, and learn from subjects that it has not seen what is improbable."""
        assert self.prior is not None
        own = self.settings
        reading = orders(own.order, grids[0].tokens.shape[1:])
        spared = len(set(subjects)) >= SPARING
        held = hold_out(subjects, HELD, self.seed) if spared else []
        taught = [grid for index, grid in enumerate(grids) if index not in held]
        learn_prior(self.prior, taught, reading, own.foretell, self.seed, watch, savepoint)
        self.prior.requires_grad_(False)
        nats = []
        for index in held or range(len(grids)):
            inside = grids[index].inside
            nats += [one.surprise[inside] for one in self._readings(grids[index])]
        every = torch.cat(nats).cpu().numpy()
        self.limit = torch.tensor(np.quantile(every, 1 - own.restore.rare)).to(self.limit)
        watch("prior", len(grids), len(grids), nats=float(every.mean()), limit=float(self.limit))


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, networks for its sequences."""
    assert isinstance(module, VqVaeExtractor)
    sequences = int(state[f"{prefix}sequences"])
    if sequences and (module.tokeniser is None or sequences != int(module.sequences)):
        module.build(sequences)
