"""From healthy vectors and strange ones to a trained flow."""

import copy
import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet import stopping
from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.flows.anomalies import NoiseSettings, noisy
from slicenet.flows.boundary import Boundary
from slicenet.flows.conditional import ConditionalFlow
from slicenet.flows.push_pull import PushPullSettings, push_pull
from slicenet.savepoint import Savepoint, State, below, packed, unpack
from slicenet.scorers.tokens import Corpus, Tokens
from slicenet.watch import Watch

FEWEST = 5  # subjects, below which none is held out
LOOKED_AT = 16_384  # held-out vectors
BEST, LEVEL = "best.", "boundary.level"  # names in a savepoint


@dataclass(frozen=True)
class CourseSettings:
    """How long and how fast a flow learns."""

    steps: int = 600
    batch: int = 4096  # healthy vectors, of all volumes
    likelihood_first: int = 0  # steps before anything is pushed; an epoch as published
    rate: float = 1e-3
    schedule: str = "cosine"  # or constant, as published
    warmup: float = 0.02  # share of the steps
    clip: float = 1.0  # longest gradient; 0 for any
    held: float = 0.1  # share of the subjects whose likelihood is watched, and that teach nothing
    look: int = 50  # steps from one look at them to the next
    patience: int = 4  # looks without a gain before it stops; the best state is kept

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.look, self.patience) < 1 or self.likelihood_first < 0:
            raise ConfigError("steps, batch, look and patience count from 1", "E_SETTING")
        if self.rate <= 0 or self.clip < 0 or not (0 <= self.warmup < 1 and 0 <= self.held < 1):
            raise ConfigError(
                "rate must be positive, clip not negative, warmup and held from 0 to below 1",
                "E_SETTING",
            )
        if self.schedule not in ("cosine", "constant"):
            raise ConfigError(
                f"schedule: have constant, cosine; got {self.schedule!r}", "E_SETTING"
            )


@final
@dataclass(frozen=True, eq=False)
class Lessons:
    """What a flow learns from; a batch follows from (seed, step)."""

    corpus: Corpus
    mean: Tensor  # [C]
    spread: Tensor  # [C]
    place: Tensor  # [cells, P], code of each cell
    whole: Tensor  # [V, G], code of each volume
    loss: str
    strange: str
    noise: NoiseSettings
    seed: int

    def divide(self, share: float) -> tuple[Tensor, Tensor]:
        """Indices of vectors to learn from, and of those of the subjects held out."""
        owners = self.corpus.owners
        subjects = len(owners.unique())
        count = max(1, round(share * subjects)) if share and subjects >= FEWEST else 0
        held = np.random.default_rng(self.seed).permutation(subjects)[:count]
        kept = torch.isin(owners[self.corpus.healthy.volume], torch.from_numpy(held))
        return (~kept).nonzero()[:, 0], kept.nonzero()[:, 0]

    def batch(self, step: int, among: Tensor, size: int) -> tuple[Tensor, ...]:
        """Healthy vectors and their conditions, strange vectors and theirs."""
        draw = drawing(self.seed, step + 1)
        chosen = among[torch.randint(len(among), (size,), generator=draw)]
        healthy, condition = self.of(self.corpus.healthy, chosen)
        if self.loss == "none":
            return healthy, condition, healthy[:0], condition[:0]
        fakes, places = [], []
        if self.strange != "lesions":
            fakes.append(noisy(healthy, self.unit(), self.noise, draw))
            places.append(condition)
        if self.strange != "noise":
            known = len(self.corpus.strange)
            lesions = torch.randint(known, (size,), generator=draw)
            vectors, codes = self.of(self.corpus.strange, lesions)
            fakes.append(vectors)
            places.append(codes)
        return healthy, condition, torch.cat(fakes), torch.cat(places)

    def unit(self) -> Tensor:
        """The unit of noise in each channel, [C], on the scale of standardised vectors."""
        absolute = self.noise.unit == "absolute"
        return (1 if absolute else self.corpus.spread.float()) / self.spread

    def of(self, tokens: Tokens, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised vectors and their conditions."""
        taken = tokens.take(chosen)
        codes = self.place[taken.cells]
        if self.whole.shape[1]:
            codes = torch.cat((codes, self.whole[taken.volume]), 1)
        return (taken.vectors - self.mean) / self.spread, codes


@final
class Course:
    """All that changes while it learns: with it, the next step follows from (seed, step)."""

    def __init__(self, flow: ConditionalFlow, loss: PushPullSettings, settings: CourseSettings):
        self.step = 0
        self.flow = flow
        self.optimiser = torch.optim.Adam(flow.parameters(), settings.rate)
        self.boundary = Boundary(loss.boundary)
        self.best = -math.inf  # held-out log density
        self.best_state: dict[str, Tensor] = {}
        self.since = 0  # looks since the best

    def look(self, log_density: float) -> None:
        """Keep the state if it is the best so far."""
        self.since += 1
        if log_density > self.best:
            self.best, self.since = log_density, 0
            self.best_state = copy.deepcopy(self.flow.state_dict())

    def state(self) -> State:
        """All of it, for a savepoint."""
        tensors = packed(self.flow, self.optimiser)
        tensors |= {f"{BEST}{name}": held for name, held in self.best_state.items()}
        if self.boundary.level is not None:
            tensors[LEVEL] = self.boundary.level
        return tensors, {"step": self.step, "best": self.best, "since": self.since}

    def resume(self, state: State) -> None:
        """Go on from what `state` has told."""
        tensors, values = state
        self.step, self.best, self.since = values["step"], values["best"], values["since"]
        unpack(tensors, self.flow, self.optimiser)
        self.best_state = below(BEST, tensors)
        if LEVEL in tensors:
            device = next(self.flow.parameters()).device
            self.boundary = replace(self.boundary, level=tensors[LEVEL].to(device))


def learn(
    flow: ConditionalFlow,
    lessons: Lessons,
    loss: PushPullSettings,
    settings: CourseSettings,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train `flow` in place; the state of the best held-out likelihood is what stays."""
    course = Course(flow, loss, settings)
    if known := savepoint.load():
        course.resume(known)
    learnt, held = lessons.divide(settings.held)
    looked = held[torch.randperm(len(held), generator=drawing(lessons.seed, 0))[:LOOKED_AT]]
    with stopping.deferred():
        while course.step < settings.steps and course.since < settings.patience:
            value, batch = _step(course, lessons, learnt, loss, settings)
            told = {"loss": value}
            if len(held) and (course.step % settings.look == 0 or course.step == settings.steps):
                course.look(_held_out(flow, lessons, looked))
                told["held"] = course.best
            watch("flow", course.step, settings.steps, **told, **batch)
            savepoint.offer(course.state)
    if course.best_state:
        flow.load_state_dict(course.best_state)
    flow.requires_grad_(False)


def rate_at(step: int, settings: CourseSettings) -> float:
    """The learning rate of the step after `step` others."""
    rising = max(1, round(settings.warmup * settings.steps))
    if settings.warmup and step < rising:
        return settings.rate * (step + 1) / rising
    if settings.schedule == "constant":
        return settings.rate
    gone = (step - rising) / max(1, settings.steps - rising)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, gone))))


def _step(
    course: Course,
    lessons: Lessons,
    among: Tensor,
    loss: PushPullSettings,
    settings: CourseSettings,
) -> tuple[float, dict[str, float]]:
    """Learn from one batch; its loss, and what else is worth telling of it."""
    device = next(course.flow.parameters()).device
    healthy, condition, fakes, places = (
        part.to(device) for part in lessons.batch(course.step, among, settings.batch)
    )
    found = course.flow.log_density(torch.cat((healthy, fakes)), torch.cat((condition, places)))
    good, bad = found[: len(healthy)], found[len(healthy) :]
    draw = drawing(lessons.seed + 1, course.step + 1)
    if course.step >= settings.likelihood_first:
        course.boundary = course.boundary.after(good, draw)
        value = push_pull(good, bad, course.boundary, loss, draw)
    else:
        value = push_pull(good, bad[:0], Boundary(loss.boundary), loss, draw)
    if not torch.isfinite(value):
        raise ConfigError(
            f"flow: the loss is {value.item()} at step {course.step + 1} of {settings.steps}",
            "E_DIVERGED", "lower flow.course.rate, or take another loss",
        )  # fmt: skip
    for group in course.optimiser.param_groups:
        group["lr"] = rate_at(course.step, settings)
    course.optimiser.zero_grad(set_to_none=True)
    value.backward()
    if settings.clip:
        nn.utils.clip_grad_norm_(course.flow.parameters(), settings.clip)
    course.optimiser.step()
    course.step += 1
    return value.item(), _told(good, bad, course.boundary)


def _told(good: Tensor, bad: Tensor, boundary: Boundary) -> dict[str, float]:
    """The shares of a batch that are less likely than the boundary, and how large it was."""
    told = {}
    if boundary.level is not None:
        for name, found in (("healthy_beyond", good), ("strange_beyond", bad)):
            if len(found):
                told[name] = (found.detach() < boundary.level).float().mean().item()
    return {**told, "tokens": float(len(good) + len(bad))}


@torch.no_grad()
def _held_out(flow: ConditionalFlow, lessons: Lessons, chosen: Tensor) -> float:
    device = next(flow.parameters()).device
    vectors, condition = lessons.of(lessons.corpus.healthy, chosen)
    return flow.log_density(vectors.to(device), condition.to(device)).mean().item()
