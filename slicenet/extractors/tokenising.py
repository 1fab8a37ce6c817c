"""A tokeniser learns to give healthy slices back."""

from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.codebook import Upkeep, perplexity, straight_through
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.slice_pool import SlicePool
from slicenet.extractors.tokeniser import Tokeniser
from slicenet.savepoint import Savepoint
from slicenet.simulation import JitterSettings
from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import jitter
from slicenet.simulation.space import space_of
from slicenet.watch import Watch

LIMIT = 4.0  # quartile ranges from the median, beyond which no intensity is told from another
PLAIN = JitterSettings(brightness=0.2, contrast=0.1, curve=0.0, field=0.0, noise=0.0, blur=0.0)


@dataclass(frozen=True)
class TokenisingSettings:
    """Settings of `learn_tokens`."""

    steps: int = 4000
    batch: int = 32  # slices
    each: int = 48  # slices of a volume that are held in memory
    rate: float = 5e-4
    decay: float = 1e-5
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"
    # Weight of the distance from a latent to its code, that draws the latent; 1 as published. The
    # published port weighs what draws the code.
    commitment: float = 0.25
    average: float = 0.99  # of the running means that are the codes, a step
    revive: float = 0.05  # of the mean use of a code, below which one is dead; 0 for never
    shift: float = 0.1  # of a slice's size, the farthest that it is moved
    jitter: JitterSettings = PLAIN  # as published: brightness and contrast

    def __post_init__(self) -> None:
        check_budget(self, self.rate)
        if self.each < 1 or self.commitment < 0:
            raise ConfigError("each counts from 1, commitment from 0", "E_SETTING")
        if not (0 <= self.average < 1 and 0 <= self.revive < 1 and 0 <= self.shift < 1):
            raise ConfigError("average, revive and shift: expected 0 to below 1", "E_SETTING")


@final
@dataclass(frozen=True, eq=False)
class Lessons:
    """Slices of every step, which follow from (seed, step)."""

    pool: SlicePool
    settings: TokenisingSettings
    seed: int

    def at(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Slices [S, M, X, Y] and their brain [S, X, Y] bool."""
        generator = drawing(self.seed, step)
        drawn = self.pool.draw(self.settings.batch, generator)
        voxels, brain = drawn.voxels.to(device), drawn.brain.to(device)
        space = space_of(brain, self.pool.spacing)
        varied = jitter(Draws(generator, device), space, voxels, self.settings.jitter)
        size = torch.tensor(brain.shape[1:])
        most = (self.settings.shift * size).long()
        share = torch.rand(len(voxels), 2, generator=generator)
        by = (share * (2 * most + 1)).long() - most
        both = torch.cat((varied * brain[:, None], brain[:, None].float()), 1)
        moved = shifted(both, by.to(device))
        return limited(moved[:, :-1]), moved[:, -1] > 0


def learn_tokens(
    tokeniser: Tokeniser,
    pool: SlicePool,
    settings: TokenisingSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train in place: encoder and decoder by descent, the codebook by running means."""
    device = tokeniser.codebook.codes.device
    lessons = Lessons(pool, settings, seed)
    tokeniser.train()
    _begin(tokeniser, lessons, device)
    upkeep = Upkeep(tokeniser.codebook, settings.average, settings.revive)
    parts = [Part(tokeniser, settings.rate)]
    descent = Descent("vqvae.learn", parts, settings, watch, savepoint=savepoint)
    upkeep.resume(descent.carry(upkeep.state))
    for step in descent.steps():
        slices, brain = lessons.at(step, device)
        latents = tokeniser.latents(slices)
        inside = cells(brain, tokeniser.settings.cell)
        tokens = tokeniser.codebook.nearest(latents)
        codes = tokeniser.codebook.of(tokens)
        given = tokeniser.decode(straight_through(latents, codes))
        error = inaccuracy(given, slices, brain)
        strain = F.mse_loss(latents[inside], codes[inside])
        seen, used = latents[inside].detach(), tokens[inside]
        descent.learn(
            error + settings.commitment * strain, error=error.item(),
            perplexity=perplexity(used, len(tokeniser.codebook.codes)),
        )  # fmt: skip
        upkeep.follow(seen, used, drawing(seed, step + 1, 1))
    tokeniser.eval()


def inaccuracy(given: Tensor, wanted: Tensor, brain: Tensor) -> Tensor:
    """Mean squared error of slices [S, M, X, Y] over their brain [S, X, Y]; one number."""
    squares = (given - wanted).square().mean(1)
    return squares[brain].mean()


def cells(brain: Tensor, cell: int) -> Tensor:
    """Tokens that stand for any brain [S, X, Y], [S, x, y] bool."""
    return F.max_pool2d(brain[:, None].float(), cell)[:, 0] > 0


def limited(voxels: Tensor) -> Tensor:
    """Intensities without what would be far beyond any that were learnt from."""
    return voxels.clamp(-LIMIT, LIMIT)


def shifted(images: Tensor, by: Tensor) -> Tensor:
    """Images [S, C, H, W] moved by [S, 2] rows and columns; 0 comes in from beyond."""
    count, _, h, w = images.shape
    rows = torch.arange(h, device=by.device) - by[:, :1]  # [S, H]
    columns = torch.arange(w, device=by.device) - by[:, 1:]  # [S, W]
    known = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None]
    which = torch.arange(count, device=by.device)[:, None, None]
    at = rows.clamp(0, h - 1)[:, :, None], columns.clamp(0, w - 1)[:, None]
    return images[which, :, at[0], at[1]].movedim(3, 1) * known[:, None]


@torch.no_grad()
def _begin(tokeniser: Tokeniser, lessons: Lessons, device: torch.device) -> None:
    """Codes among the latents of the first slices, so that none begins where nothing is."""
    slices, brain = lessons.at(0, device)
    found = tokeniser.latents(slices)[cells(brain, tokeniser.settings.cell)]
    tokeniser.codebook.begin(found, drawing(lessons.seed, 0, 1))
