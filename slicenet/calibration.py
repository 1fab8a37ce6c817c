"""What a score means, from held-out healthy volumes: false-positive rates, never truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from slicenet.errors import CheckpointError, ConfigError

RATES = (1e-3, 1e-2, 5e-2)  # voxel false-positive rates whose thresholds come with an interval
CURVE = tuple(np.geomspace(1e-4, 0.5, 200).tolist())  # rates that can be asked for
LEVELS = np.geomspace(1e-5, 1, 2048)  # where the tail of each subject is kept
ENOUGH = 20  # subjects below which we say that a threshold rests on few
RESAMPLES = 1000
KINDS = ("fpr", "q", "value")


@final
@dataclass(frozen=True)
class Threshold:
    """What a user asked for: `fpr:0.01`, `q:0.99` of healthy voxels, or `value:3.2`."""

    kind: str
    number: float

    @classmethod
    def parse(cls, text: str) -> "Threshold":
        """Read `KIND:NUMBER`."""
        kind, _, number = text.partition(":")
        try:
            asked = cls(kind, float(number))
        except ValueError:
            asked = cls("", 0.0)
        inside = asked.kind == "value" or 0 < asked.number < 1
        if asked.kind not in KINDS or not inside or not np.isfinite(asked.number):
            raise ConfigError(
                f"threshold {text!r}: expected fpr:RATE, q:QUANTILE or value:SCORE",
                "E_THRESHOLD", "for example fpr:0.01",
            )  # fmt: skip
        return asked

    @property
    def rate(self) -> float:
        """The false-positive rate asked for."""
        return self.number if self.kind == "fpr" else 1 - self.number


@final
@dataclass(frozen=True)
class Calibration:
    """Thresholds of healthy brains and how sure they are; every healthy subject counts alike."""

    subjects: int
    curve: tuple[float, ...]  # thresholds at the rates of `CURVE`
    intervals: tuple[tuple[float, float], ...]  # 95 % bootstrap at `RATES`; none of one subject
    volume_scores: tuple[float, ...]  # of the healthy, sorted; as many for each subject

    def value(self, threshold: Threshold) -> float:
        """The score above which healthy brains have the asked share of their voxels."""
        if threshold.kind == "value":
            return threshold.number
        rate = threshold.rate
        if not CURVE[0] * (1 - 1e-9) <= rate <= CURVE[-1]:
            raise ConfigError(
                f"fpr:{rate:g}: calibrated from fpr:{CURVE[0]:g} to fpr:{CURVE[-1]:g}",
                "E_THRESHOLD",
            )
        return float(np.interp(np.log(rate), np.log(CURVE), self.curve))

    def thresholds(self) -> dict[str, float]:
        """The thresholds at `RATES`, by names such as `fpr0.01`."""
        return {f"fpr{rate:g}": self.value(Threshold("fpr", rate)) for rate in RATES}

    def p_value(self, volume_score: float) -> float:
        """Share of healthy volumes at least as strange, the volume itself counted in."""
        above = sum(score >= volume_score for score in self.volume_scores)
        # Several volumes of one subject are no more evidence than one.
        each = len(self.volume_scores) / self.subjects
        return (1 + above / each) / (1 + self.subjects)

    def to_table(self) -> dict[str, Any]:
        """Plain values for the header of a model file."""
        return asdict(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Calibration":
        """The calibration that `to_table` wrote."""
        try:
            return cls(
                int(table["subjects"]),
                tuple(map(float, table["curve"])),
                tuple((float(low), float(high)) for low, high in table["intervals"]),
                tuple(map(float, table["volume_scores"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"calibration: not readable ({error!r})", "E_CALIBRATION"
            ) from error


@final
class Calibrator:
    """Gathers healthy volumes one at a time; keeps the tail of each, not its voxels."""

    def __init__(self) -> None:
        self._tails: list[np.ndarray] = []  # each [levels], falling
        self._volume_scores: list[float] = []
        self._subjects: list[int] = []

    def add(self, scores: np.ndarray, volume_score: float, subject: int | None = None) -> None:
        """Take the scores [N] inside the brain of one healthy volume.

        Volumes of one `subject` together count as one; without it, each is of a subject of its own.
        """
        self._subjects.append(len(self._tails) if subject is None else subject)
        # The score of rank k, from 0, is exceeded by k voxels at most: never more than the level.
        ranks = np.minimum(np.floor(LEVELS * len(scores)).astype(int), len(scores) - 1)
        self._tails.append(np.sort(scores)[::-1][ranks].astype(np.float64))
        self._volume_scores.append(volume_score)

    def finish(self) -> Calibration:
        """Thresholds of all volumes together, with bootstrap intervals over subjects."""
        subjects = len(set(self._subjects))
        if not subjects:
            raise CheckpointError("no healthy volume to calibrate with", "E_UNCALIBRATED")
        candidates, rates = self._rates()
        weights = np.full((subjects, 1), 1 / subjects)
        curve = _thresholds(candidates, rates @ weights, CURVE)[:, 0]
        ordered = tuple(sorted(self._volume_scores))
        if subjects < 2:
            return Calibration(subjects, tuple(curve.tolist()), (), ordered)
        draws = np.random.default_rng(0).multinomial(subjects, weights[:, 0], RESAMPLES)
        drawn = _thresholds(candidates, rates @ (draws.T / subjects), RATES)
        low, high = np.quantile(drawn, (0.025, 0.975), axis=1)
        pairs = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
        return Calibration(subjects, tuple(curve.tolist()), tuple(pairs), ordered)

    def _rates(self) -> tuple[np.ndarray, np.ndarray]:
        """Candidate thresholds [K], rising, and each subject's rate above them, [K, subjects]."""
        tails = np.stack(self._tails)
        half = LEVELS <= 0.75
        candidates = np.unique(np.quantile(tails[:, half], np.linspace(0, 1, 8192)))
        found = {subject: np.zeros(len(candidates)) for subject in self._subjects}
        for subject, tail in zip(self._subjects, tails, strict=True):
            share = 1 / self._subjects.count(subject)
            found[subject] += share * np.interp(candidates, tail[::-1], LEVELS[::-1], right=0)
        return candidates, np.stack(list(found.values()), 1)


def _thresholds(candidates: np.ndarray, rates: np.ndarray, wanted: tuple[float, ...]) -> np.ndarray:
    """The lowest candidates [len(wanted), R] whose rates [K, R] are not above those wanted."""
    ok = rates[None] <= np.array(wanted)[:, None, None]  # [W, K, R], false then true
    first = np.where(ok.any(1), ok.argmax(1), len(candidates) - 1)
    return candidates[first]
