"""A backbone learns along with a flow which of its features are typical of their place."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone
from slicenet.extractors.batches import Batch, Batches
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, groups, join
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slice_pool import SlicePool
from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.position import PLANE, position_code, with_global_code
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch

LEAST = 1e-6  # deviation of a channel; below it, a channel is silent


@dataclass(frozen=True)
class JointSettings:
    """Settings of `joint`.

    Likelihood alone is best for features that say nothing. Shrinking them must not pay (`whiten`),
    nor making them all alike (`tie`).
    """

    steps: int = 300
    alone: int = 60  # steps before that, in which the flow learns and the backbone does not
    batch: int = 8  # slices of one plane
    tokens: int = 2048  # cells of them that a step looks at
    rate: float = 2e-5  # of the backbone
    head_rate: float = 1e-3  # of the flow
    decay: float = 1e-4
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"
    blocks: int = 4  # of the flow, which is thrown away
    whiten: bool = True  # the likelihood sees every channel at mean 0 and deviation 1
    tie: float = 4.0  # weight of the contrast with the backbone as it was
    margin: int = 16  # pixels around the brain that are looked at

    def __post_init__(self) -> None:
        check_budget(self, self.rate, self.head_rate)
        if self.tokens < 2 or self.blocks < 1 or min(self.alone, self.margin, self.tie) < 0:
            raise ConfigError(
                "tokens count from 2, blocks from 1, and alone, margin and tie from 0", "E_SETTING"
            )


@final
@dataclass(frozen=True, eq=False)
class Tokens:
    """Features of the same cells, and where these lie."""

    own: Tensor  # [N, C] of the backbone that learns
    first: Tensor  # [N, C] of the backbone as it was
    places: Tensor  # [N, P] codes


def joint(
    backbone: Backbone,
    pools: Sequence[SlicePool],
    picture: PictureSettings,
    neighbourhood: NeighbourhoodSettings,
    settings: JointSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train `backbone` in place. It infers all the while: its batch norms keep their moments."""
    backbone.eval()
    batches = Batches(pools, picture, settings.batch, settings.margin, backbone.strides[-1], seed)
    lessons = Lessons(backbone, batches, neighbourhood, settings.tokens)
    channels = sum(groups([backbone.channels[tap] for tap in backbone.tapped], neighbourhood))
    head = FlowSettings(settings.blocks, seed=seed)
    flow = ConditionalFlow(channels, sum(PLANE) + len(pools), head)
    flow.to(next(backbone.parameters()).device)
    learners = Part(flow, settings.head_rate), Part(backbone.network, settings.rate)
    _begin(flow, lessons, settings, watch, savepoint)
    descent = Descent("finetune.joint", learners, settings, watch, savepoint=savepoint)
    for step in descent.steps():
        tokens = lessons.at(settings.alone + step)
        surprise, apart = surprising(flow, tokens, settings.whiten), strangeness(tokens)
        told = {"surprise": surprise.item(), "apart": apart.item()}
        descent.learn(surprise + settings.tie * apart, **told)


def surprising(flow: ConditionalFlow, tokens: Tokens, whiten: bool) -> Tensor:
    """How little the flow expects tokens at their places: one number, never below 0.

    The moments of a whitened batch are part of the gradient. Were they taken for constants, as a
    running mean is, each step would still gain by shrinking, and the moments would follow.
    """
    own = whitened(tokens.own, tokens.own if whiten else tokens.first)
    return F.softplus(-flow.log_density(own, tokens.places)).mean()


def strangeness(tokens: Tokens) -> Tensor:
    """1 - cosine between a whitened token and what it was, the mean over tokens, 0 to 2."""
    own, first = whitened(tokens.own, tokens.own), whitened(tokens.first, tokens.first)
    return 1 - F.cosine_similarity(own, first).mean()


def whitened(tokens: Tensor, those: Tensor) -> Tensor:
    """Tokens [N, C] less the mean of `those`, in their deviations."""
    deviation = those.var(0, correction=0).add(LEAST**2).sqrt()
    return (tokens - those.mean(0)) / deviation


@final
class Lessons:
    """Tokens of every step, which follow from (seed, step), and those of the starting backbone."""

    def __init__(
        self,
        backbone: Backbone,
        batches: Batches,
        neighbourhood: NeighbourhoodSettings,
        count: int,
    ) -> None:
        self._backbone, self._first = backbone, copy.deepcopy(backbone)
        self._batches, self._neighbourhood, self._count = batches, neighbourhood, count
        self._stride = backbone.strides[backbone.tapped[0]]
        planes = torch.eye(len(batches.pools))
        self._codes = [
            with_global_code(position_code(_cells(pool.size, self._stride), PLANE), plane)
            for pool, plane in zip(batches.pools, planes, strict=True)
        ]

    def at(self, step: int) -> Tokens:
        """Cells of brain, at random, of the batch of one step."""
        batch = self._batches.at(step)
        own = self._join(self._backbone(batch.pictures))  # [B, C, h, w]
        first = self._join(self._first.look(batch.pictures))
        image, row, column = self._choose(batch, own.shape[2:], step)
        top, left = (side.start // self._stride for side in (batch.crop.rows, batch.crop.columns))
        # A picture's own lattice, not the window's: a place must be the same in every batch.
        places = self._codes[batch.pool][top + row, left + column]
        here = (image.to(own.device), slice(None), row.to(own.device), column.to(own.device))
        return Tokens(own[here], first[here], places.to(own))

    def _join(self, layers: Sequence[Tensor]) -> Tensor:
        return join([layers[tap] for tap in self._backbone.tapped], self._neighbourhood)

    def _choose(self, batch: Batch, lattice: Sequence[int], step: int) -> Sequence[Tensor]:
        """Image, row and column of cells that are brain for the most part, each [N]."""
        h, w = lattice
        share = F.adaptive_avg_pool2d(batch.brain, (h, w))  # [B, h, w]
        cells = (share >= min(0.5, float(share.max()))).nonzero()
        order = torch.randperm(len(cells), generator=drawing(self._batches.seed, step, 1))
        return cells[order[: self._count]].unbind(1)


def _cells(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """The lattice of a picture; a cell at its rim may be cut."""
    rows, columns = (-(-edge // stride) for edge in size)
    return rows, columns


def _begin(
    flow: ConditionalFlow,
    lessons: Lessons,
    settings: JointSettings,
    watch: Watch,
    savepoint: Savepoint,
) -> None:
    """Let the flow learn alone: from its first weights, no gradient says anything."""
    if not settings.alone:
        return
    budget = replace(settings, steps=settings.alone, schedule="constant")
    parts = (Part(flow, settings.head_rate),)
    descent = Descent("finetune.joint", parts, budget, watch, "finetune alone", savepoint)
    for step in descent.steps():
        with torch.no_grad():
            tokens = lessons.at(step)
        descent.learn(surprising(flow, tokens, settings.whiten))
