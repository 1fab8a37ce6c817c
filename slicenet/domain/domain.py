"""What the healthy brains of a model have in common, and how unlike them an input is."""

from collections.abc import MutableMapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.domain.limits import FEWEST, Limits, learn_limits
from slicenet.domain.measures import HIGH, LOW, columns
from slicenet.domain.portrait import Portrait
from slicenet.subjects import numbered

LEAST = 3  # fitted subjects, so that each has others to be compared with


@final
@dataclass(frozen=True)
class Usual:
    """What is usual of one measure in a cohort, in its natural unit."""

    measure: str
    sequence: int  # from 1; 0 where it is about the input as a whole
    centre: float
    low: float | None  # limits; none on a side where nothing is unlike
    high: float | None


@final
@dataclass(frozen=True)
class Reading:
    """One measure of an input beside what is usual."""

    usual: Usual
    value: float
    distance: float  # deviations from the centre, to the side that counts
    unlike: bool

    def to_table(self) -> dict[str, Any]:
        """Plain values, all on one level."""
        own = {"value": self.value, "distance": self.distance, "unlike": self.unlike}
        return asdict(self.usual) | own


@final
class Domain(nn.Module):
    """The means of a cohort and the measures of its subjects; silent until it knows enough."""

    picture: Tensor  # [M, x, y, z] float16, mean of the fitted
    seen: Tensor  # [x, y, z] bool, cells that most of the fitted fill
    histogram: Tensor  # [M, ranks] mean of the fitted
    fitted: Tensor  # [rows, K] scaled measures, each against the means of the others
    held: Tensor  # [rows, K] of those held out
    fitted_by: Tensor  # [portraits] int64, whose each of those fitted was, from 0
    held_by: Tensor  # [portraits] int64, from 0 again

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("picture", torch.empty(0, dtype=torch.float16))
        self.register_buffer("seen", torch.empty(0, dtype=torch.bool))
        for name in ("histogram", "fitted", "held"):
            self.register_buffer(name, torch.empty(0))
        for name in ("fitted_by", "held_by"):
            self.register_buffer(name, torch.empty(0, dtype=torch.int64))
        self.register_load_state_dict_pre_hook(_tell_apart)
        self._learnt: Limits | None = None  # from `fitted` and `held`, once asked for

    @property
    def subjects(self) -> int:
        """Healthy subjects that it knows."""
        return len(self.fitted_by.unique()) + len(self.held_by.unique())

    @property
    def knows(self) -> bool:
        """Whether it can say of an input how unlike it is."""
        return self.subjects >= FEWEST and len(self.fitted_by.unique()) >= LEAST

    def fit(self, portraits: Sequence[Portrait], subjects: Sequence[str] = ()) -> None:
        """Learn from those that a model is fitted on, and forget all others.

        Without `subjects`, each portrait is of one of its own.
        """
        owners = numbered(subjects or [""] * len(portraits))
        whole = _Sums.of(portraits)
        rows = _rows(portraits, owners, whole) if len(set(owners)) >= LEAST else []
        picture, self.seen, self.histogram = whole.means(len(portraits))
        self.picture = picture.half()
        self.fitted = torch.from_numpy(np.stack(rows)) if rows else torch.empty(0)
        self.held = torch.empty(0)
        self.fitted_by = torch.tensor(owners)
        self.held_by = torch.empty(0, dtype=torch.int64)
        self._learnt = None

    def hold(self, portraits: Sequence[Portrait], subjects: Sequence[str] = ()) -> None:
        """Learn from those that calibrate, in place of such as it knew before."""
        if len(self.fitted):
            self.held_by = torch.tensor(numbered(subjects or [""] * len(portraits)))
            rows = np.stack([self._measure(one) for one in portraits])
            self.held = torch.from_numpy(rows)
            self._learnt = None

    def read(self, portrait: Portrait) -> tuple[Reading, ...]:
        """Every measure of an input beside the cohort's; nothing if that is too small."""
        if not self.knows:
            return ()
        row, limits, kinds = self._measure(portrait), self._limits(), columns(len(self.picture))
        sides = np.array([measure.side for measure, _ in kinds])
        distances = limits.distances(row, sides)
        return tuple(
            Reading(usual, float(measure.natural(value)), float(distance), bool(unlike))
            for usual, (measure, _), value, distance, unlike in zip(
                self.usual(), kinds, row, distances, distances > limits.reach, strict=True
            )
        )

    def usual(self) -> tuple[Usual, ...]:
        """Centre and limits of every measure; nothing if the cohort is too small."""
        if not self.knows:
            return ()
        limits = self._limits()
        spans = limits.reach * limits.deviation
        found = []
        for (measure, sequence), middle, span in zip(
            columns(len(self.picture)), limits.centre, spans, strict=True
        ):
            ends = measure.natural(middle + span * np.array((-1, 0, 1)))
            low, centre, high = ends.tolist()
            found.append(
                Usual(
                    measure.name, sequence, centre,
                    None if measure.side == HIGH else low, None if measure.side == LOW else high,
                )
            )  # fmt: skip
        return tuple(found)

    def _limits(self) -> Limits:
        if self._learnt is None:
            both = [rows.cpu().numpy() for rows in (self.fitted, self.held)]
            known = [rows for rows in both if len(rows)]
            first, second = self.fitted_by.cpu().numpy(), self.held_by.cpu().numpy()
            who = np.concatenate([first, second + len(first)])  # nobody is both
            kinds = [measure for measure, _ in columns(len(self.picture))]
            self._learnt = learn_limits(np.concatenate(known).astype(np.float64), kinds, who)
        return self._learnt

    def _measure(self, portrait: Portrait) -> np.ndarray:
        means = (self.picture.cpu().float(), self.seen.cpu(), self.histogram.cpu())
        return _row(portrait, *means)


@final
@dataclass(frozen=True, eq=False)
class _Sums:
    """Portraits added up."""

    picture: Tensor  # [M, x, y, z]
    count: Tensor  # [x, y, z]
    histogram: Tensor  # [M, ranks]

    @classmethod
    def of(cls, portraits: Sequence[Portrait]) -> "_Sums":
        return cls(
            reduce(torch.add, (one.picture.float() * one.inside for one in portraits)),
            reduce(torch.add, (one.inside.float() for one in portraits)),
            reduce(torch.add, (one.histogram for one in portraits)),
        )

    def less(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.picture - other.picture, self.count - other.count,
            self.histogram - other.histogram,
        )  # fmt: skip

    def means(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of so many: the picture, the cells that most of them fill, and the histogram."""
        picture = self.picture / self.count.clamp(min=1)
        return picture, self.count >= number / 2, self.histogram / number


def _rows(portraits: Sequence[Portrait], owners: Sequence[int], whole: _Sums) -> list[np.ndarray]:
    """The scaled measures [K] of each, against the means of all other subjects."""
    means = []
    for owner in range(len(set(owners))):
        own = [one for one, who in zip(portraits, owners, strict=True) if who == owner]
        means.append(whole.less(_Sums.of(own)).means(len(portraits) - len(own)))
    return [_row(one, *means[who]) for one, who in zip(portraits, owners, strict=True)]


def _row(portrait: Portrait, picture: Tensor, seen: Tensor, histogram: Tensor) -> np.ndarray:
    """The scaled measures [K] of one brain against means of others, float32."""
    both = portrait.inside & seen
    values = list(portrait.shared.tolist())
    for sequence, own in enumerate(portrait.own.tolist()):
        pair = portrait.picture[sequence][both].float(), picture[sequence][both]
        apart = (portrait.histogram[sequence] - histogram[sequence]).abs().mean()
        values += [*own, _correlation(*pair), float(apart)]
    kinds = columns(len(portrait.picture))
    scaled = [m.scaled(np.array(v)) for (m, _), v in zip(kinds, values, strict=True)]
    return np.array(scaled, np.float32)


def _correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's, of two [N]; 0 where there is none."""
    one, other = (part.double() - part.double().mean() for part in (one, other))
    scale = float(one.norm() * other.norm())
    return float(one @ other) / scale if scale > 0 else 0.0


def _tell_apart(
    module: nn.Module, state: MutableMapping[str, Tensor], prefix: str, *_: Any
) -> None:
    """Before the state of an earlier slicenet is loaded, whose its portraits were: all in turn."""
    people = state.pop(f"{prefix}people", torch.empty(0)).tolist()
    for name, count in zip(("fitted", "held"), people, strict=False):
        rows = len(state[f"{prefix}{name}"])
        owners = torch.arange(max(rows, count)) % max(count, 1)
        setattr(module, f"{name}_by", torch.zeros_like(owners))
        state[f"{prefix}{name}_by"] = owners
