"""Which side of a boundary around healthy vectors one lies on (Schoelkopf et al., 2001).

For the whole brain, several small machines, each on vectors of its own (Pinon et al., ISBI 2023);
or a machine for each position (Alaverdyan et al., 2020); or for each patient, of nothing but the
patient's own brain (Pinon et al., MIDL 2023).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers.machines import Machines, machines
from slicenet.scorers.places import Places, check_around
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.standard import Standard
from slicenet.scoring import Scorer
from slicenet.watch import Watch

SCOPES = ("shared", "position", "patient")


@dataclass(frozen=True)
class OneClassSvmSettings:
    """Settings of `OneClassSvmScorer`."""

    scope: str = "shared"  # one boundary for all brains; or "position", or "patient"
    members: int = 5  # machines whose mean is the score; a position has one
    each: int = 500  # healthy vectors for a machine; of every volume as many, all machines together
    nu: float = 0.03  # largest share of them that a boundary leaves outside
    gamma: float = 0.0  # of the kernel exp(-gamma d²); 0: 1 / (channels x variance), per machine
    standardise: bool = True  # channels by their healthy spread
    # Cells on either side whose vectors a position has as well; none as published, of 75 subjects.
    around: tuple[int, int, int] = (1, 1, 0)
    least: int = 20  # vectors that a position needs; one with fewer asks the nearest that has them

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ConfigError(f"scope: have {', '.join(SCOPES)}; got {self.scope!r}", "E_SETTING")
        if self.members < 1 or self.each < 2:
            raise ConfigError("members must be from 1 and each from 2", "E_SETTING")
        if not 0 < self.nu <= 1 or self.gamma < 0:
            raise ConfigError("nu must be within 0 to 1 and gamma not negative", "E_SETTING")
        check_around(self.around, self.least)


@final
class OneClassSvmScorer(Scorer):
    """Minus the mean decision of the machines: below 0 within their boundaries, above 0 beyond."""

    settings: OneClassSvmSettings
    support: Tensor  # [S, C] float32, support vectors of all machines, on the scale of `standard`
    weight: Tensor  # [S] float32, their share in the decision
    gamma: Tensor  # [S] float32, of the kernel of the machine that each is from
    offset: Tensor  # [] float32, mean intercept, or [P], that of each position
    count: Tensor  # [P] int64, support vectors of each position; empty if not by position
    row: Tensor  # [cells] int64, the position that judges each; empty if not by position

    def __init__(self, settings: OneClassSvmSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.standard = Standard(settings.standardise)
        for name in ("support", "weight", "gamma"):
            self.register_buffer(name, torch.empty(0))
        self.register_buffer("offset", torch.zeros(()))
        for name in ("count", "row"):
            self.register_buffer(name, torch.empty(0, dtype=torch.int64))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        sample = draw_sample(maps, self.settings.members * self.settings.each, self.seed)
        self.standard.fit(sample)
        if self.settings.scope == "shared":
            self._take(self._ensemble(self.standard(sample.vectors), watch))
        if self.settings.scope == "position":
            self._take(self._by_position(maps, watch))

    def score(self, features: FeatureMap) -> Tensor:
        vectors = self.standard(features.vectors)
        if not len(vectors):
            return vectors.new_zeros(0)
        if self.settings.scope == "patient":
            return self._ensemble(vectors).decide(vectors).neg()
        known = Machines(self.support, self.weight, self.gamma, self.offset, self.count)
        if self.settings.scope == "position":
            rows = self.row[features.cells().to(self.row.device)]
            return known.decide_apart(vectors, rows).neg()
        return known.decide(vectors).neg()

    def _ensemble(self, vectors: Tensor, watch: Watch | None = None) -> Machines:
        """One for several machines, each on as many of the vectors, in an order by the seed."""
        most = self.settings.members * self.settings.each
        order = torch.randperm(len(vectors), generator=drawing(self.seed, 0, 0))[:most]
        members = min(self.settings.members, len(order))
        parts = vectors[order.to(vectors.device)].tensor_split(members)
        found = machines(parts, self.settings.nu, self.settings.gamma)
        if watch:
            watch("one-class svm", members, members)
        return found.mean()

    def _by_position(self, maps: Iterable[FeatureMap], watch: Watch) -> Machines:
        """A machine for each position, whose dual coefficients sum to 1.

        They do so in the papers. In libsvm they sum to the number of vectors that may lie outside,
        and a position that more brains have would decide in larger numbers.
        """
        settings = self.settings
        places = Places.of(maps, settings.around, settings.each, self.seed)
        cells = places.known(settings.least)
        self.row, found = places.nearest(cells).to(self.row.device), list[Machines]()
        done = 0
        for part, vectors, exist in places.walk(maps, cells):
            standard = self.standard(vectors.flatten(0, 1)).unflatten(0, vectors.shape[:2])
            exist = exist.to(standard.device)
            sets = [own[known] for own, known in zip(standard, exist, strict=True)]
            outside = settings.nu * exist.sum(1)  # [p]
            some = machines(sets, settings.nu, settings.gamma)
            weight = some.weight / outside.repeat_interleave(some.count)
            found.append(
                Machines(some.support, weight, some.gamma, some.offset / outside, some.count)
            )
            done += len(part)
            watch("one-class svm", done, len(cells))
        return Machines(*(torch.cat(parts) for parts in zip(*map(_parts, found), strict=True)))

    def _take(self, found: Machines) -> None:
        self.support, self.weight, self.gamma = found.support, found.weight, found.gamma
        self.offset, self.count = found.offset, found.count


def _parts(found: Machines) -> tuple[Tensor, ...]:
    return found.support, found.weight, found.gamma, found.offset, found.count
