"""How networks learn to tell categories that noise has hidden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from slicenet import stopping
from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.flows.relaxation import (
    LadderSettings,
    Rung,
    blocks,
    expected,
    gumbel,
    logits,
    relaxed,
    strangeness,
    target,
)
from slicenet.savepoint import Savepoint, State, packed, unpack
from slicenet.watch import Watch

Answer = Callable[[Tensor, int], Tensor]  # of a network, to points at a level
LEAST = 1e-30  # chance, so that it has a logarithm
MOST = 512  # categories of a field; more are no categories


@dataclass(frozen=True)
class CategoricalCourse:
    """How long and how fast a network learns."""

    steps: int = 1200
    batch: int = 4  # windows of a lattice, or rows of a table
    rate: float = 2e-3
    clip: float = 1.0  # longest gradient

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1 or min(self.rate, self.clip) <= 0:
            raise ConfigError(
                "steps and batch count from 1, rate and clip must be positive", "E_SETTING"
            )


def divide(owners: Sequence[int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Places of what teaches a network, and of the share of owners that its density is fitted on.

    Owners count from 0. Of what a network has learnt from it says what it says of nothing else.
    """
    count = max(owners) + 1
    if count < 2:
        raise ConfigError("gnsm: a network and a density need one each", "E_TOO_FEW", "judge=norm")
    order = torch.randperm(count, generator=drawing(seed, 4)).tolist()
    left = min(max(1, round(share * count)), count - 1)
    kept = set(order[:left])
    return (
        [place for place, owner in enumerate(owners) if owner not in kept],
        [place for place, owner in enumerate(owners) if owner in kept],
    )


def check_held(held: float) -> None:
    """Refuse a share that leaves nothing to one of the two."""
    if not 0 < held < 1:
        raise ConfigError("held: expected a share between 0 and 1", "E_SETTING")


def check_categories(codes: Sequence[Tensor]) -> None:
    """Refuse codes [N, F] that name no categories."""
    whole = all(bool((one == one.round()).all() and (one >= 0).all()) for one in codes)
    if not whole:
        raise ConfigError(
            "gnsm: takes whole numbers from 0 that name categories", "E_LABELS",
            "labels, tokens, or intensities in levels",
        )  # fmt: skip
    if max(float(one.max()) for one in codes if len(one)) >= MOST:
        raise ConfigError(f"gnsm: more than {MOST} categories in a field", "E_LABELS")


def kinds_of(codes: Sequence[Tensor]) -> list[int]:
    """How many categories each field has, of codes [N, F]; one more, for all that comes later."""
    highest = torch.stack([one.amax(0) for one in codes if len(one)]).amax(0)
    return [int(one) + 2 for one in highest]


def known(codes: Tensor, kinds: Sequence[int]) -> Tensor:
    """Codes [N, F] as int64; those that training has never seen are the last of their field."""
    last = torch.tensor([count - 1 for count in kinds], device=codes.device)
    return codes.round().long().clamp(min=0).minimum(last)


def given(
    codes: Sequence[Tensor], kinds: Sequence[int], ladder: LadderSettings, rung: Rung
) -> Tensor:
    """Logits of codes [B, ...] of every field, side by side, [B, sum of kinds, ...]."""
    found = [
        logits(one, count, ladder.floor) / rung.logits
        for one, count in zip(codes, kinds, strict=True)
    ]
    return torch.cat(found, 1)


def points(noisy: Tensor, kinds: Sequence[int], rung: Rung) -> Tensor:
    """Points of the simplex of every field, from logits with or without noise."""
    return torch.cat([relaxed(one, rung.points) for one in blocks(noisy, kinds)], 1)


def disagreement(
    belief: Tensor,
    seen: Tensor,
    true: Tensor,
    kinds: Sequence[int],
    ladder: LadderSettings,
    rung: Rung,
) -> Tensor:
    """Kullback-Leibler divergence of what is told from the target, mean over fields, [B, ...].

    A network tells what it believes [B, sum of kinds, ...] besides the points that are `seen`.
    """
    found = []
    parts = (blocks(one, kinds) for one in (belief, seen, true))
    for mine, point, whole in zip(*parts, strict=True):
        wanted = target(whole, point, rung.points)
        told = expected(mine, point, ladder.floor, rung).clamp(min=LEAST)
        found.append((torch.xlogy(wanted, wanted) - wanted * told.log()).sum(1))
    return torch.stack(found).mean(0)


def norms(
    belief: Tensor, seen: Tensor, kinds: Sequence[int], ladder: LadderSettings, rung: Rung
) -> Tensor:
    """Length of the score over all fields, [B, ...]: root mean square of their shares."""
    each = [
        strangeness(expected(mine, point, ladder.floor, rung), ladder.floor, rung).square()
        for mine, point in zip(blocks(belief, kinds), blocks(seen, kinds), strict=True)
    ]
    return torch.stack(each).mean(0).sqrt()


def lengths(
    answer: Answer, codes: Sequence[Tensor], kinds: Sequence[int], ladder: LadderSettings
) -> Tensor:
    """Of the scores of codes [B, ...] of every field, taken without noise, [B, ..., L]."""
    found = []
    for level, rung in enumerate(ladder.rungs()):
        seen = points(given(codes, kinds, ladder, rung), kinds, rung)
        found.append(norms(answer(seen, level), seen, kinds, ladder, rung))
    return torch.stack(found, -1)


def misses(
    answer: Answer,
    codes: Sequence[Tensor],
    kinds: Sequence[int],
    ladder: LadderSettings,
    level: int,
    draw: torch.Generator,
    device: torch.device,
) -> Tensor:
    """How far a network is from the target of codes [B, ...] that noise hides, [B, ...]."""
    rung = ladder.rungs()[level]
    true = given(codes, kinds, ladder, rung)
    seen = points(true + gumbel(true, draw), kinds, rung).to(device)
    return disagreement(answer(seen, level), seen, true.to(device), kinds, ladder, rung)


def descend(
    network: nn.Module,
    loss_at: Callable[[int], Tensor],
    settings: CategoricalCourse,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Adam, whose rate falls along half a wave; the last step is what stays."""
    course = Course(network, settings)
    if known := savepoint.load():
        course.resume(known)
    with stopping.deferred():
        while course.step < settings.steps:
            loss = course.learn(loss_at)
            watch("gnsm", course.step, settings.steps, loss=loss)
            savepoint.offer(course.state)
        savepoint.keep(course.state)
    network.requires_grad_(False).eval()


@final
class Course:
    """All that changes while it learns: with it, the next step follows from its number."""

    def __init__(self, network: nn.Module, settings: CategoricalCourse) -> None:
        self.step = 0
        self.network = network
        self.settings = settings
        self.optimiser = torch.optim.Adam(network.parameters(), settings.rate)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, settings.steps)

    def learn(self, loss_at: Callable[[int], Tensor]) -> float:
        """One step down the gradient; its loss."""
        self.optimiser.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = loss_at(self.step)
        if not torch.isfinite(loss):
            text = f"gnsm diverged at step {self.step + 1} of {self.settings.steps}"
            raise ConfigError(text, "E_DIVERGED", "lower its rate")
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        return loss.item()

    def state(self) -> State:
        """All of it, for a savepoint."""
        (group,) = self.optimiser.param_groups
        return packed(self.network, self.optimiser), {"step": self.step, "rate": group["lr"]}

    def resume(self, state: State) -> None:
        """Go on from what `state` has told."""
        tensors, values = state
        unpack(tensors, self.network, self.optimiser)
        self.step = self.schedule.last_epoch = values["step"]
        (group,) = self.optimiser.param_groups
        group["lr"] = values["rate"]  # the next follows from it
