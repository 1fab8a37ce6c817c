"""What a change of settings is worth: trainings in memory, all judged on the same volumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from slicenet import tables
from slicenet.comparing.single import Result, run
from slicenet.inspection import Usable
from slicenet.leaderboard import ABSENT, COLUMNS
from slicenet.metrics import EvaluationSettings
from slicenet.metrics.definitions import DEFINITIONS
from slicenet.metrics.resamples import Estimate
from slicenet.metrics.seeds import between, over_seeds
from slicenet.recipe import resolve


@final
@dataclass(frozen=True, eq=False)
class Sweep:
    """Results by setting, one a seed; every figure is a mean over these."""

    results: Mapping[str, Sequence[Result]]

    def figure(self, setting: str, key: str) -> Estimate:
        """A figure of an evaluation, with its interval over subjects."""
        trained = [result.evaluation.figures for result in self.results[setting]]
        found = [next(one.estimate for one in figures if one.key == key) for figures in trained]
        return over_seeds(found, EvaluationSettings().level)

    def difference(self, setting: str, base: str, key: str) -> Estimate:
        """The figure less that of `base`; its interval pairs them over subjects."""
        first, second = self.figure(setting, key), self.figure(base, key)
        return between(first, second, EvaluationSettings().level)

    def apart(self, base: str, key: str) -> list[str]:
        """Settings whose interval of the difference to `base` leaves out 0."""
        found = {name: self.difference(name, base, key) for name in self.results}
        return [name for name, one in found.items() if (one.low or 0) > 0 or (one.high or 0) < 0]

    def markdown(self, base: str, keys: Sequence[str]) -> str:
        """A row a setting: each figure, and its difference to `base`."""
        rows = [["setting", *(name for key in keys for name in (label(key), f"− {base}"))]]
        for setting in self.results:
            row = [setting]
            for key in keys:
                own = setting == base
                gap = "" if own else text(self.difference(setting, base, key), "+.3f")
                row += [text(self.figure(setting, key)), gap]
            rows.append(row)
        return tables.markdown(rows)


def sweep(
    name: str,
    changes: Mapping[str, Sequence[str]],
    seeds: Sequence[int],
    learnt: Usable,
    tested: Usable,
) -> Sweep:
    """Train and test a backend or preset with each change, assignments KEY=VALUE, and each seed."""
    return Sweep({
        setting: [
            run(resolve(name, None, changed, seed), learnt, tested.cohort) for seed in seeds
        ]
        for setting, changed in changes.items()
    })  # fmt: skip


def text(estimate: Estimate, form: str = ".3f") -> str:
    """The value with its interval behind it, as far as there are any."""
    if estimate.value is None:
        return ABSENT
    value = f"{estimate.value:{form}}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{estimate.low:{form}} to {estimate.high:{form}}]"


def label(key: str) -> str:
    """A figure's name for people; one that was chosen with the truth says so."""
    name, _, threshold = key.partition("@")
    definition = DEFINITIONS[name]
    told = f"{definition.label} at {threshold}" if threshold else definition.label
    return COLUMNS.get(key, told + (" (oracle)" if definition.oracle else ""))
