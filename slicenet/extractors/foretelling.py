"""A prior learns which tokens follow which in healthy brains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.prior import Prior
from slicenet.extractors.token_grids import Sequences, TokenGrid, read
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch


@dataclass(frozen=True)
class ForetellingSettings:
    """Settings of `learn_prior`."""

    steps: int = 2000
    batch: int = 32  # slices, of all volumes
    rate: float = 1e-3
    decay: float = 1e-2
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"

    def __post_init__(self) -> None:
        check_budget(self, self.rate)


@final
@dataclass(frozen=True, eq=False)
class Corpus:
    """Slices with brain of a cohort; those of a step follow from (seed, step)."""

    tokens: Tensor  # [N, x, y] int16
    inside: Tensor  # [N, x, y] bool
    slice: Tensor  # [N] int64, which of its volume each is
    lattice: tuple[int, int, int]

    @classmethod
    def of(cls, grids: Sequence[TokenGrid]) -> "Corpus":
        """Of all these, which share one lattice."""
        if not grids:
            raise ConfigError("no tokens to learn from", "E_TOO_FEW")
        shown = [grid.inside.flatten(1).any(1).cpu() for grid in grids]
        return cls(
            torch.cat([g.tokens.cpu()[own].short() for g, own in zip(grids, shown, strict=True)]),
            torch.cat([g.inside.cpu()[own] for g, own in zip(grids, shown, strict=True)]),
            torch.cat([own.nonzero()[:, 0] for own in shown]),
            grids[0].lattice,
        )

    def draw(
        self, count: int, order: Tensor, draw: torch.Generator, device: torch.device
    ) -> tuple[Sequences, Tensor]:
        """Random slices as they are read in an order, and which of their volume each is."""
        chosen = torch.randint(len(self.slice), (count,), generator=draw)
        tokens = self.tokens[chosen].long().to(device)
        sequences = read(tokens, self.inside[chosen].to(device), order.to(device))
        return sequences, self.slice[chosen].to(device)


def learn_prior(
    prior: Prior,
    grids: Sequence[TokenGrid],
    reading: Tensor,
    settings: ForetellingSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train in place on grids read in orders [count, x * y], which take turns."""
    device = next(prior.parameters()).device
    corpus = Corpus.of(grids)
    places = Prior.places(corpus.lattice).to(device)
    prior.train()
    parts = [Part(prior, settings.rate)]
    descent = Descent("vqvae.foretell", parts, settings, watch, "prior", savepoint)
    for step in descent.steps():
        order = reading[step % len(reading)]
        draw = drawing(seed, step)
        sequences, which = corpus.draw(settings.batch, order, draw, device)
        descent.learn(surprise(prior, sequences, places, which)[sequences.known].mean())
    prior.eval()


def surprise(prior: Prior, sequences: Sequences, places: Tensor, which: Tensor) -> Tensor:
    """-log probability of each token after those before it, [S, L] nats."""
    logits = foretold(prior, sequences, places, which)
    return F.cross_entropy(logits.movedim(2, 1), sequences.tokens, reduction="none")


def foretold(prior: Prior, sequences: Sequences, places: Tensor, which: Tensor) -> Tensor:
    """Logits [S, L, K] of the tokens of slices; `which` [S] of the volume's each of them is."""
    return prior(sequences.tokens, places[which[:, None], sequences.cells])
