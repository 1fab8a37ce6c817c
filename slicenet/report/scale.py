"""The levels that a map is drawn in: thresholds of healthy brains, so that none is rounded."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.calibration import CURVE, RATES, Calibration, Threshold

LOOSEST = 0.2  # rate at which thresholds begin; half the brain in colour shows nothing
STEPS = 180  # thresholds, log-spaced in their rates
BEYOND = 40  # levels above the strictest threshold
PARTS = 256  # of a level, within which a score is told


@final
@dataclass(frozen=True)
class Scale:
    """Rising knots; the level of a score is how many of them lie below it."""

    knots: tuple[float, ...]
    rates: tuple[float, ...]  # healthy voxels above the first knots; none without a calibration
    asked: int | None  # the knot that is the threshold of the masks, if there is one

    @property
    def thresholds(self) -> int:
        """How many of the knots can be chosen as a threshold."""
        return len(self.rates) or len(self.knots)

    def levels(self, scores: np.ndarray) -> np.ndarray:
        """How many knots each score is above, uint8; above a threshold as masks have it."""
        # In the precision of the map: so do the masks compare.
        knots = np.asarray(self.knots, np.float32)
        return np.searchsorted(knots, scores, side="left").astype(np.uint8)

    def parts(self, scores: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """Where in its level each score lies, in 256ths; `edges` are those that bound levels."""
        levels = self.levels(scores)
        low, high = edges[levels], edges[levels + 1]
        share = (scores - low) / np.maximum(high - low, 1e-12)
        return np.clip(share * PARTS, 0, PARTS - 1).astype(np.uint8)

    def edges(self, low: float, high: float) -> np.ndarray:
        """The bounds of all levels where scores reach from `low` to `high`, [levels + 1]."""
        knots = np.asarray(self.knots)
        return np.concatenate([[min(low, knots[0])], knots, [max(high, knots[-1])]])


def calibrated(calibration: Calibration, asked: float | None) -> Scale:
    """Knots at rates from `LOOSEST` down to the strictest that was calibrated, and at `asked`."""
    rates = np.geomspace(LOOSEST, CURVE[0], STEPS)
    rates = np.unique([*rates, *RATES])[::-1]
    values = [calibration.value(Threshold("fpr", float(rate))) for rate in rates]
    if asked is not None and asked not in values:
        rate = float(np.exp(np.interp(-asked, -np.asarray(calibration.curve), np.log(CURVE))))
        place = int(np.searchsorted(values, asked))
        values.insert(place, asked)
        rates = np.insert(rates, place, rate)
    at = None if asked is None else values.index(asked)
    width = values[-1] - calibration.value(Threshold("fpr", 0.01))
    beyond = values[-1] + max(width, 1e-6) * np.arange(1, BEYOND + 1) / 20
    return Scale((*values, *beyond.tolist()), tuple(rates.tolist()), at)


def uncalibrated(scores: np.ndarray, asked: float | None) -> Scale:
    """Knots evenly over the upper half of the map's own scores [N]: no rate is known."""
    low, high = float(np.median(scores)), float(scores.max())
    values = np.linspace(low, max(high, low + 1e-6), STEPS).tolist()
    if asked is not None and asked not in values:
        values = sorted([*values, asked])
    return Scale(tuple(values), (), None if asked is None else values.index(asked))
