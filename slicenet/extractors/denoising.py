"""A network learns to tell scores by denoising: score matching at every level of noise."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.score_model import NoiseLevelSettings, ScoreModel
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch

RAMP = 10.0  # steps; an average over n steps forgets as one over n / (n + RAMP) at first


@dataclass(frozen=True)
class DenoisingSettings:
    """How long and how fast a network learns scores."""

    steps: int = 2000
    batch: int = 8
    rate: float = 1e-3
    decay: float = 1e-4
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"  # constant, as published
    average: float = 0.0  # of weights over steps, by what share of it stays; 0 for none

    def __post_init__(self) -> None:
        check_budget(self, self.rate)
        if not 0 <= self.average < 1:
            raise ConfigError("average: expected a share from 0 to below 1", "E_SETTING")


@final
@dataclass(frozen=True, eq=False)
class Clean:
    """A batch of healthy samples."""

    values: Tensor  # [B, C, *]
    context: Tensor  # [B, K, *], what the network is told beside them
    weight: Tensor  # [B, 1, *], 1 where they count; what counts 0 gets no noise

    def on(self, device: torch.device) -> "Clean":
        """The same on a device."""
        return Clean(*(part.to(device) for part in (self.values, self.context, self.weight)))


def learn_scores(
    model: ScoreModel,
    draw: Callable[[int], Clean],
    levels: NoiseLevelSettings,
    settings: DenoisingSettings,
    seed: int,
    watch: Watch,
    name: str,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train in place on what `draw` gives for each step; noise is a function of (seed, step)."""
    model.train()
    device = model.scale.device
    average = copy.deepcopy(model.state_dict()) if settings.average else {}
    parts = [Part(model, settings.rate)]
    descent = Descent(name, parts, settings, watch, savepoint=savepoint)
    average |= descent.carry(lambda: average)
    with torch.enable_grad():
        for step in descent.steps():
            clean = draw(step)
            wanted, noise = draws(clean, levels, seed, step)
            descent.learn(
                matching_loss(model, clean.on(device), wanted.to(device), noise.to(device))
            )
            _follow(average, model, settings.average, step + 1)
    if average:
        model.load_state_dict(average)
    model.eval()
    model.requires_grad_(False)


def draws(clean: Clean, levels: NoiseLevelSettings, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """A level for each sample, [B], and noise of unit spread where it counts, [B, C, *]."""
    generator = drawing(seed, step, 1)
    count = len(clean.values)
    # One from each of as many equal parts, so that every step sees the whole range.
    shares = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    shares = shares[torch.randperm(count, generator=generator)]
    noise = torch.randn(clean.values.shape, generator=generator)
    return levels.between(shares), noise * clean.weight


def matching_loss(model: ScoreModel, clean: Clean, levels: Tensor, noise: Tensor) -> Tensor:
    """Half the mean squared distance to the score that denoising has, where samples count."""
    surprise = model.surprise(clean.values, levels, clean.context, noise) * clean.weight
    return 0.5 * surprise.sum() / (clean.weight.sum() * clean.values.shape[1]).clamp(min=1)


@torch.no_grad()
def _follow(average: dict[str, Tensor], model: ScoreModel, stays: float, step: int) -> None:
    stays = min(stays, step / (step + RAMP))
    weights = model.state_dict() if average else {}
    for name, tensor in average.items():
        tensor.lerp_(weights[name], 1 - stays)
