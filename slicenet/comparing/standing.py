"""Where a backend stands after all of its seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, final

from slicenet.comparing.trial import Outcome
from slicenet.leaderboard import COLUMNS, Line
from slicenet.metrics import EvaluationSettings
from slicenet.metrics.resamples import Estimate
from slicenet.metrics.seeds import over_seeds, spread_over_seeds

QUALITY = "average_precision"  # which the best has most of


@final
@dataclass(frozen=True)
class Cost:
    """What a backend takes."""

    train_seconds: float  # mean over seeds
    cached_seconds: float  # mean over seeds, of them, spent by an earlier run
    score_seconds: float  # a volume, median over seeds of medians
    peak_gb: float  # the highest of the seeds
    gpu_gb: float | None  # likewise; none without a GPU
    model_bytes: int  # the largest


@final
@dataclass(frozen=True, eq=False)
class Standing:
    """The outcomes of a backend, one a seed, or why there are none."""

    backend: str
    outcomes: Sequence[Outcome] = ()
    failure: str = ""  # code
    reason: str = ""

    def figure(self, key: str) -> Estimate:
        """Mean over seeds, with an interval over subjects."""
        level = EvaluationSettings().level
        return over_seeds([one.estimates.get(key, Estimate()) for one in self.outcomes], level)

    @property
    def quality(self) -> float | None:
        """The figure that backends are ordered by; none if it failed."""
        return self.figure(QUALITY).value if self.outcomes else None

    @property
    def cost(self) -> Cost:
        """What it takes; only of one that did not fail."""

        def every(name: str) -> list[Any]:
            return [one.record[name] for one in self.outcomes]

        return Cost(
            fmean(every("train_seconds")), fmean(every("cached_seconds")),
            median(every("score_seconds")), max(every("peak_gb")),
            max((gb for gb in every("gpu_gb") if gb is not None), default=None),
            max(every("model_bytes")),
        )  # fmt: skip

    def by_case(self, key: str) -> Mapping[str, tuple[str, float]]:
        """Subject and mean over seeds of each tested volume that has the figure."""
        found: dict[str, list[float]] = {}
        subjects: dict[str, str] = {}
        for outcome in self.outcomes:
            for case in outcome.cases:
                if case.get(key) is not None:
                    found.setdefault(case["name"], []).append(case[key])
                    subjects[case["name"]] = case["subject"]
        every = len(self.outcomes)
        return {n: (subjects[n], fmean(v)) for n, v in found.items() if len(v) == every}

    def line(self) -> Line:
        """Its row of the leaderboard."""
        rows = [] if self.failure else [self._row(key) for key in COLUMNS]
        return Line(self.backend, {"figures": rows}, failure=self.failure)

    def _row(self, key: str) -> dict[str, Any]:
        estimate = self.figure(key)
        spread = spread_over_seeds([one.estimates.get(key, Estimate()) for one in self.outcomes])
        return {
            "figure": key, "value": estimate.value, "low": estimate.low, "high": estimate.high,
            "spread": spread,
        }  # fmt: skip


def ordered(standings: Sequence[Standing]) -> list[Standing]:
    """The best first, and those without the quality last."""
    worth = {one.backend: -1.0 if one.quality is None else one.quality for one in standings}
    return sorted(standings, key=lambda one: -worth[one.backend])


def ranked(standings: Sequence[Standing]) -> list[Standing]:
    """Those with the quality, the best first."""
    return [one for one in ordered(standings) if one.quality is not None]
