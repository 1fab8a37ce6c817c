"""Another scanner raises or lowers all scores of a brain alike: a map by what is usual within it.

Thresholds then hold where maps would have drifted. A lesion raises what is usual too, the more so
the larger it is.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from slicenet.errors import ConfigError

KINDS = ("none", "level", "bulk")
SMALLEST = 1e-6  # that a spread is divided by


@dataclass(frozen=True)
class DriftSettings:
    """Settings of `steady`."""

    kind: str = "none"  # level: divided by a power of a high quantile; bulk: by median and spread
    quantile: float = 0.98  # of the brain's scores, the level
    power: float = 0.75  # at 1, every brain would have as much that is strange

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind: have {', '.join(KINDS)}; got {self.kind!r}", "E_SETTING")
        if not 0 < self.quantile < 1 or not 0 < self.power <= 1:
            message = "quantile must be between 0 and 1, power above 0 and at most 1"
            raise ConfigError(message, "E_SETTING")


def steady(scores: Tensor, brain: Tensor, settings: DriftSettings) -> Tensor:
    """Scores [X, Y, Z] with the drift of their own brain taken out; 0 outside it."""
    if settings.kind == "none":
        return scores
    inside = scores[brain].numpy()
    if settings.kind == "level":
        level = float(np.quantile(inside, settings.quantile))
        if level <= 0:
            return _unscaled(scores, inside)
        return scores / level**settings.power * brain
    middle = float(np.median(inside))
    # Of a Gaussian, 1.4826 median absolute deviations are a standard deviation.
    spread = 1.4826 * float(np.median(np.abs(inside - middle)))
    return (scores - middle) / max(spread, SMALLEST) * brain


def _unscaled(scores: Tensor, inside: np.ndarray) -> Tensor:
    """A map without scores as it is; where scores may be negative there is nothing to divide by."""
    if inside.any():
        text = "drift: level divides by a high score of the brain, which here is not above 0"
        raise ConfigError(text, "E_SETTING", "map.drift.kind=bulk, or map.position.kind=ecdf")
    return scores
