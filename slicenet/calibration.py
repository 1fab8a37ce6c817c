"""What a score means, from held-out healthy volumes: false-positive rates, never truth."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from slicenet.errors import CheckpointError, ConfigError
from slicenet.subjects import numbered

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
    volume_scores: tuple[float, ...]  # of the healthy, sorted
    weights: tuple[float, ...]  # of each of these; those of a subject are 1 together

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
        """Share of healthy subjects at least as strange, that of the volume counted in."""
        pairs = zip(self.volume_scores, self.weights, strict=True)
        above = math.fsum(weight for score, weight in pairs if score >= volume_score)
        return (1 + above) / (1 + self.subjects)

    def to_table(self) -> dict[str, Any]:
        """Plain values for the header of a model file."""
        return asdict(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Calibration":
        """The calibration that `to_table` wrote."""
        try:
            subjects, scores = int(table["subjects"]), tuple(map(float, table["volume_scores"]))
            # Before there were weights, all counted alike.
            weights = table.get("weights") or [subjects / max(len(scores), 1)] * len(scores)
            return cls(
                subjects,
                tuple(map(float, table["curve"])),
                tuple((float(low), float(high)) for low, high in table["intervals"]),
                scores,
                tuple(map(float, weights)),
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
        self._subjects: list[str] = []

    def add(self, scores: np.ndarray, volume_score: float, subject: str = "") -> None:
        """Take the scores [N] inside the brain of one healthy volume.

        Volumes of one `subject` together count as one; without it, each is of a subject of its own.
        """
        self._subjects.append(subject)
        # The score of rank k, from 0, is exceeded by k voxels at most: never more than the level.
        ranks = np.minimum(np.floor(LEVELS * len(scores)).astype(int), len(scores) - 1)
        self._tails.append(np.sort(scores)[::-1][ranks].astype(np.float64))
        self._volume_scores.append(volume_score)

    def finish(self) -> Calibration:
        """Thresholds of all volumes together, with bootstrap intervals over subjects."""
        if not self._tails:
            raise CheckpointError("no healthy volume to calibrate with", "E_UNCALIBRATED")
        owners = np.array(numbered(self._subjects))
        counts = np.bincount(owners)
        weights = 1 / counts[owners]  # of volumes
        subjects = len(counts)
        candidates, rates = self._rates(owners, weights)
        alike = np.full(subjects, 1 / subjects)
        curve = _thresholds(candidates, rates @ alike[:, None], CURVE)[:, 0]
        intervals = _intervals(candidates, rates, alike) if subjects > 1 else ()
        order = np.argsort(self._volume_scores, kind="stable")
        ordered = np.array(self._volume_scores)[order], weights[order]
        scores, shares = (tuple(one.tolist()) for one in ordered)
        return Calibration(subjects, tuple(curve.tolist()), intervals, scores, shares)

    def _rates(self, owners: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidate thresholds [K], rising, and each subject's rate above them, [K, subjects]."""
        tails = np.stack(self._tails)
        half = LEVELS <= 0.75
        candidates = np.unique(np.quantile(tails[:, half], np.linspace(0, 1, 8192)))
        found = np.zeros((owners.max() + 1, len(candidates)))
        for owner, weight, tail in zip(owners, weights, tails, strict=True):
            found[owner] += weight * np.interp(candidates, tail[::-1], LEVELS[::-1], right=0)
        return candidates, np.ascontiguousarray(found.T)


def _intervals(
    candidates: np.ndarray, rates: np.ndarray, alike: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """What 95 % of the thresholds at `RATES` lie between, of subjects drawn with replacement."""
    draws = np.random.default_rng(0).multinomial(len(alike), alike, RESAMPLES)
    drawn = _thresholds(candidates, rates @ (draws.T / len(alike)), RATES)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=1)
    return tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))


def _thresholds(candidates: np.ndarray, rates: np.ndarray, wanted: tuple[float, ...]) -> np.ndarray:
    """The lowest candidates [len(wanted), R] whose rates [K, R] are not above those wanted."""
    ok = rates[None] <= np.array(wanted)[:, None, None]  # [W, K, R], false then true
    first = np.where(ok.any(1), ok.argmax(1), len(candidates) - 1)
    return candidates[first]
