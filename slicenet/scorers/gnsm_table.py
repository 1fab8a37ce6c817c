"""How strange rows of categories are: GNSM on a table, for Python alone.

    table = CategoricalTable(CategoricalTableSettings())
    table.fit(healthy)  # whole numbers from 0, [rows, fields]
    table.score(others)  # [rows], higher is stranger

What a row may hold is learnt from `fit` alone: a category that comes later is one more, never seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import drawing, weights_from
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.relaxation import LadderSettings
from slicenet.scorers.categorical_learning import (
    CategoricalCourse,
    check_categories,
    check_held,
    descend,
    divide,
    kinds_of,
    known,
    lengths,
    misses,
)
from slicenet.scorers.categorical_networks import CategoricalNetworkSettings, RowNetwork
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.watch import Watch, silent


@dataclass(frozen=True)
class CategoricalTableSettings:
    """Settings of `CategoricalTable`."""

    ladder: LadderSettings = LadderSettings()
    network: CategoricalNetworkSettings = CategoricalNetworkSettings(64, (1, 1, 1))
    course: CategoricalCourse = CategoricalCourse(steps=2000, batch=256)
    mixture: MixtureSettings = MixtureSettings()
    # Share of the rows that teach the network nothing and leave their lengths to the mixture; none
    # as published.
    held: float = 0.2

    def __post_init__(self) -> None:
        check_held(self.held)


@final
class CategoricalTable(nn.Module):
    """Minus the log density of the lengths of a row's scores at every level, in nats."""

    kinds: Tensor  # [F] int64, categories of each field, those never seen included

    def __init__(self, settings: CategoricalTableSettings = CategoricalTableSettings()) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.network: RowNetwork | None = None
        self.density = MixtureScorer(settings.mixture)
        self.register_buffer("kinds", torch.zeros(0, dtype=torch.int64))
        self.register_load_state_dict_pre_hook(_grow)

    def fit(self, rows: Tensor, watch: Watch = silent) -> None:
        """Learn from healthy rows [N, F]."""
        if rows.ndim != 2 or len(rows) < 2:
            raise ConfigError("gnsm: expected a table of two rows or more", "E_TOO_FEW")
        check_categories([rows.float()])
        taught, left = divide(range(len(rows)), self.settings.held, self.seed)
        kinds = kinds_of([rows[taught].float()])
        self.build(kinds)
        network, codes = self.network, known(rows[taught].float().cpu(), kinds)
        assert network is not None
        descend(network, lambda step: self._loss(codes, step), self.settings.course, watch)
        self.density.fit(self._maps(rows[left]), watch)

    def score(self, rows: Tensor) -> Tensor:
        """How strange each of the rows [N, F] is, whatever the others are, [N]."""
        return torch.cat([self.density.score(features) for features in self._maps(rows)])

    @torch.no_grad()
    def lengths(self, rows: Tensor) -> Tensor:
        """Of the score at each level of the ladder, [N, L], in shares of the longest."""
        kinds = self.kinds.tolist()
        codes = known(rows.to(self.kinds.device).float(), kinds).T.unbind()
        return lengths(self._answer, codes, kinds, self.settings.ladder)

    def build(self, kinds: list[int]) -> None:
        """An untrained network for fields of so many categories."""
        device = self.kinds.device
        self.kinds = torch.tensor(kinds, device=device)
        with weights_from(drawing(self.seed, 3).initial_seed()):
            levels = self.settings.ladder.levels
            made = RowNetwork(sum(kinds), levels, self.settings.network)
        self.network = made.to(device)

    def _maps(self, rows: Tensor) -> list[FeatureMap]:
        return [FeatureMap(self.lengths(rows), torch.ones(len(rows), 1, 1, dtype=torch.bool))]

    def _answer(self, seen: Tensor, level: int) -> Tensor:
        assert self.network is not None, "fitted, or loaded"
        return self.network(seen, torch.full((len(seen),), level, device=seen.device))

    def _loss(self, codes: Tensor, step: int) -> Tensor:
        draw, kinds, ladder = drawing(self.seed, 2, step), self.kinds.tolist(), self.settings.ladder
        # One level a step, so that its temperature is that of the whole batch.
        level = int(torch.randint(ladder.levels, (), generator=draw))
        chosen = torch.randint(len(codes), (self.settings.course.batch,), generator=draw)
        rows = codes[chosen].T.unbind()
        return misses(self._answer, rows, kinds, ladder, level, draw, self.kinds.device).mean()


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, a network for its fields, and room for its mixture."""
    assert isinstance(module, CategoricalTable)
    kinds, device = state[f"{prefix}kinds"].tolist(), module.kinds.device
    module.network, module.kinds = None, torch.zeros(0, dtype=torch.int64, device=device)
    if kinds:
        module.build(kinds)
    for name in ("weights", "means", "factors", "freedom"):
        held = torch.zeros_like(state[f"{prefix}density.{name}"], device=device)
        setattr(module.density, name, held)
    for name in ("mean", "spread"):
        held = torch.zeros_like(state[f"{prefix}density.standard.{name}"], device=device)
        setattr(module.density.standard, name, held)
