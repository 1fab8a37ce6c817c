"""How strange a category is where it lies, among its neighbours (GNSM, arXiv 2304.03220).

It takes feature maps whose channels are categories: whole numbers from 0 in each, one channel for
each field. Labels come so from a label map, and the token grid of a VQ-VAE as one channel that
holds the index of the code at each cell. Published scores are of a whole sample; ours of each cell.

The network only tells what its neighbours and place say of a cell. It starts from how often healthy
brains have each category there, and what the noisy cell says itself is added in closed form.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import drawing, weights_from
from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.relaxation import LadderSettings
from slicenet.savepoint import Savepoint
from slicenet.scorers.categorical_learning import (
    CategoricalCourse,
    check_categories,
    check_held,
    descend,
    divide,
    kinds_of,
    lengths,
)
from slicenet.scorers.categorical_networks import CategoricalNetworkSettings, LatticeNetwork
from slicenet.scorers.fields import Atlas, Field, Windows, told
from slicenet.scorers.mixture import MixtureScorer, MixtureSettings
from slicenet.scoring import Scorer
from slicenet.subjects import numbered
from slicenet.watch import Watch

JUDGES = ("mixture", "norm")


@dataclass(frozen=True)
class GnsmSettings:
    """Settings of `GnsmScorer`."""

    ladder: LadderSettings = LadderSettings()
    network: CategoricalNetworkSettings = CategoricalNetworkSettings()
    course: CategoricalCourse = CategoricalCourse()
    window: int = 16  # cells along each axis that a step sees
    judge: str = "norm"  # mean of the levels' lengths; or mixture, minus their log density
    mixture: MixtureSettings = MixtureSettings()
    # Share of the subjects, if the judge is a mixture, that teach the network nothing and leave
    # their lengths to it; none as published.
    held: float = 0.2

    def __post_init__(self) -> None:
        if self.judge not in JUDGES:
            message = f"judge: have {', '.join(JUDGES)}; got {self.judge!r}"
            raise ConfigError(message, "E_SETTING")
        if self.window < 1:
            raise ConfigError("window counts from 1", "E_SETTING")
        check_held(self.held)


@final
class GnsmScorer(Scorer):
    """Length of the score of the relaxed density at each cell, over a ladder of noise levels.

    Taken where noise is absent, at which the own category alone has none: what is left is what
    neighbours and place speak against it.
    """

    settings: GnsmSettings
    learns = True
    kinds: Tensor  # [F] int64, categories of each field, those never seen included
    counts: Tensor  # [C, x, y, z] int16, of the healthy that have each category in each cell

    def __init__(self, settings: GnsmSettings) -> None:
        super().__init__()
        self.settings = settings
        self.seed = torch.initial_seed() % 2**31
        self.network: LatticeNetwork | None = None
        self.density = MixtureScorer(settings.mixture)
        self.register_buffer("kinds", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("counts", torch.zeros(0, dtype=torch.int16))
        self.register_load_state_dict_pre_hook(_grow)

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        kept = [replace(one, vectors=one.vectors.cpu(), inside=one.inside.cpu()) for one in maps]
        check_categories([one.vectors for one in kept])
        taught, left = list(range(len(kept))), list[int]()
        if self.settings.judge == "mixture":
            owners = numbered(one.subject for one in kept)
            taught, left = divide(owners, self.settings.held, self.seed)
        kinds = kinds_of([kept[place].vectors for place in taught])
        fields = [Field.of(kept[place].vectors, kept[place].inside, kinds) for place in taught]
        atlas = Atlas.of(fields, kinds)
        self.build(kinds)
        assert self.network is not None
        self.counts = atlas.counts.to(self.kinds.device)
        windows = Windows(
            fields, atlas, self.settings.ladder, self.settings.window, self.settings.course.batch,
            self.seed, self.kinds.device,
        )  # fmt: skip
        network = self.network
        descend(
            network, lambda step: windows.loss(network, step), self.settings.course, watch,
            savepoint,
        )  # fmt: skip
        if left:
            others = (kept[place] for place in left)
            self.density.fit((replace(one, vectors=self.lengths(one)) for one in others), watch)

    def score(self, features: FeatureMap) -> Tensor:
        if not len(features.vectors):
            return torch.zeros(0, device=self.kinds.device)
        lengths = self.lengths(features)
        if self.settings.judge == "mixture":
            return self.density.score(FeatureMap(lengths, features.inside))
        return lengths.mean(1)

    @torch.no_grad()
    def lengths(self, features: FeatureMap) -> Tensor:
        """Of the score at each level of the ladder, [N, L], in shares of the longest."""
        network, kinds, device = self.network, self.kinds.tolist(), self.kinds.device
        assert network is not None, "fitted, or loaded"
        field = Field.of(features.vectors.cpu(), features.inside.cpu(), kinds).cut()
        inside = field.inside[None, None].float().to(device)
        place = told(field, Atlas(self.counts, kinds), seen=False)[None].to(device)

        def answer(seen: Tensor, level: int) -> Tensor:
            return network(seen, inside, place, torch.tensor([level], device=device))

        codes = field.codes[:, None].to(device).unbind()
        found = lengths(answer, codes, kinds, self.settings.ladder)  # [1, x, y, z, L]
        return found[0, field.inside.to(device)]

    def build(self, kinds: list[int]) -> None:
        """An untrained network for fields of so many categories."""
        device = self.kinds.device
        self.kinds = torch.tensor(kinds, device=device)
        with weights_from(drawing(self.seed, 3).initial_seed()):
            levels = self.settings.ladder.levels
            made = LatticeNetwork(sum(kinds), levels, self.settings.network)
        self.network = made.to(device)


def _grow(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before a state is loaded, a network and room for the counts of its fields."""
    assert isinstance(module, GnsmScorer)
    module.counts = torch.zeros_like(state[f"{prefix}counts"], device=module.counts.device)
    kinds = state[f"{prefix}kinds"].tolist()
    if kinds and (module.network is None or kinds != module.kinds.tolist()):
        module.build(kinds)
