"""Categories on a lattice, what is usual in each place, and windows that noise hides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from slicenet.draws import drawing
from slicenet.flows.position import position_code
from slicenet.flows.relaxation import LadderSettings
from slicenet.scorers.categorical_learning import known, misses
from slicenet.scorers.categorical_networks import PLACE, LatticeNetwork

Window = tuple[slice, slice, slice]


@final
@dataclass(frozen=True, eq=False)
class Field:
    """The categories of one lattice, or of a window of it."""

    codes: Tensor  # [F, x, y, z] int16, 0 outside
    inside: Tensor  # [x, y, z] bool
    lattice: tuple[int, int, int]  # cells of the whole
    corner: tuple[int, int, int] = (0, 0, 0)  # of the window, in the whole

    @classmethod
    def of(cls, vectors: Tensor, inside: Tensor, kinds: Sequence[int]) -> "Field":
        """Of categories [N, F] of the cells `inside` [x, y, z]."""
        codes = torch.zeros(len(kinds), *inside.shape, dtype=torch.int16)
        codes[:, inside] = known(vectors, kinds).T.to(torch.int16)
        x, y, z = inside.shape
        return cls(codes, inside, (x, y, z))

    def window(self, corner: tuple[int, int, int], edges: Sequence[int]) -> "Field":
        """What lies between a corner and the one beyond it."""
        x, y, z = (slice(at, at + edge) for at, edge in zip(corner, edges, strict=True))
        codes, inside = self.codes[:, x, y, z], self.inside[x, y, z]
        return replace(self, codes=codes, inside=inside, corner=corner)

    def slices(self) -> Window:
        """Where the window lies in the whole."""
        x, y, z = (
            slice(at, at + edge) for at, edge in zip(self.corner, self.inside.shape, strict=True)
        )
        return x, y, z

    def cut(self) -> "Field":
        """The smallest window that holds all that is inside."""
        places = self.inside.nonzero()
        x, y, z = places.amin(0).tolist()
        return self.window((x, y, z), (places.amax(0) - places.amin(0) + 1).tolist())


@final
@dataclass(frozen=True, eq=False)
class Atlas:
    """How often healthy lattices have each category in each cell."""

    counts: Tensor  # [C, x, y, z] int16, the categories of all fields side by side
    kinds: Sequence[int]

    @classmethod
    def of(cls, fields: Sequence[Field], kinds: Sequence[int]) -> "Atlas":
        """Of healthy lattices."""
        counts = torch.zeros(sum(kinds), *fields[0].lattice, dtype=torch.int16)
        for field in fields:
            counts += _held(field, kinds)
        return cls(counts, kinds)

    @cached_property
    def total(self) -> Tensor:
        """How often each category is anywhere, [C] float32, on the CPU."""
        return self.counts.flatten(1).sum(1).cpu().float()

    def prior(self, field: Field, seen: bool) -> Tensor:
        """Log chance of each category in the cells of a window, [C, x, y, z].

        One that was `seen` when this was counted is left out, as those to come are. What is usual
        anywhere counts for one lattice more, so that no chance is 0.
        """
        x, y, z = field.slices()
        counts = self.counts[:, x, y, z].cpu().float()
        if seen:
            counts = counts - _held(field, self.kinds)
        found = []
        parts = zip(counts.split(list(self.kinds)), self.total.split(list(self.kinds)), strict=True)
        for count, whole in parts:
            # One count more, or what training has never seen would be impossible.
            usual = ((whole + 1) / (whole + 1).sum())[:, None, None, None]
            found.append(((count + usual) / (count.sum(0) + 1)).log())
        return torch.cat(found)


def _held(field: Field, kinds: Sequence[int]) -> Tensor:
    """1 for the category that each inside cell holds of every field, [C, x, y, z] int16."""
    each = [
        torch.nn.functional.one_hot(one.long(), count).movedim(-1, 0)
        for one, count in zip(field.codes, kinds, strict=True)
    ]
    return (torch.cat(each) * field.inside).to(torch.int16)


def placed(field: Field) -> Tensor:
    """Where the cells of a window lie in the whole, [P, x, y, z]."""
    x, y, z = field.slices()
    ends = (x.stop, y.stop, z.stop)
    return position_code(ends, PLACE)[x, y, z].movedim(-1, 0)


def told(field: Field, atlas: Atlas, seen: bool) -> Tensor:
    """All that is known of a window before its categories: place and prior, [P + C, x, y, z]."""
    return torch.cat((placed(field), atlas.prior(field, seen)))


@final
@dataclass(frozen=True, eq=False)
class Windows:
    """What a network learns from: a window of one lattice at one level follows from (seed, step).

    Each is centred on a cell with something inside.
    """

    fields: Sequence[Field]
    atlas: Atlas
    ladder: LadderSettings
    edge: int
    batch: int
    seed: int
    device: torch.device

    def loss(self, network: LatticeNetwork, step: int) -> Tensor:
        """How far a network is from the target, mean over cells inside; one number."""
        draw = drawing(self.seed, 2, step)
        # One level a step, so that its temperature is that of the whole batch.
        level = int(torch.randint(self.ladder.levels, (), generator=draw))
        chosen = [self._window(draw) for _ in range(self.batch)]
        codes = torch.stack([field.codes for field in chosen], 1)  # [F, B, x, y, z]
        inside = torch.stack([field.inside for field in chosen]).to(self.device)
        place = torch.stack([told(field, self.atlas, seen=True) for field in chosen])
        place = place.to(self.device)

        def answer(seen: Tensor, level: int) -> Tensor:
            levels = torch.full((self.batch,), level, device=self.device)
            return network(seen, inside[:, None].to(seen), place, levels)

        kinds, ladder = self.atlas.kinds, self.ladder
        found = misses(answer, codes.unbind(), kinds, ladder, level, draw, self.device)
        return found[inside].mean()

    def _window(self, draw: torch.Generator) -> Field:
        field = self.fields[int(torch.randint(len(self.fields), (), generator=draw))]
        places = field.inside.nonzero()
        centre = places[int(torch.randint(len(places), (), generator=draw))].tolist()
        edges = [min(self.edge, size) for size in field.lattice]
        x, y, z = (
            min(max(at - edge // 2, 0), size - edge)
            for at, edge, size in zip(centre, edges, field.lattice, strict=True)
        )
        return field.window((x, y, z), edges)
