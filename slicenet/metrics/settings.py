"""How maps are judged; the same for all volumes of one evaluation."""

from dataclasses import dataclass
from itertools import pairwise
from typing import final

from slicenet.errors import ConfigError

FPR_LIMIT = 0.3  # of AUROC30 and AUPRO30, which are named after it


@final
@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of `evaluate`."""

    minimum_voxels: int = 3  # smaller predicted components neither find a lesion nor count as false
    strata_ml: tuple[float, ...] = (0.5, 5.0)  # edges of the size strata
    bins: int = 2**20  # at most, of the histogram that pooled figures come from
    bootstrap_bins: int = 2048  # at most, of the histogram that is kept of each volume
    resamples: int = 1000
    seed: int = 0
    level: float = 0.95  # of the intervals

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise((0.0, *self.strata_ml)))
        wrong = {
            "minimum_voxels must be at least 1": self.minimum_voxels < 1,
            "strata_ml must rise from above 0": not rising,
            "bins must be at least 2": self.bins < 2,
            "bootstrap_bins must be at least 2": self.bootstrap_bins < 2,
            "resamples must be at least 1": self.resamples < 1,
            "seed must not be negative": self.seed < 0,
            "level must lie between 0 and 1": not 0 < self.level < 1,
        }
        for message, is_wrong in wrong.items():
            if is_wrong:
                raise ConfigError(f"evaluation: {message}", "E_SETTING")

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the size strata, from the smallest: `<0.5mL`, `0.5-5mL`, `>=5mL`."""
        edges = [f"{edge:g}" for edge in self.strata_ml]
        if not edges:
            return ()
        between = [f"{low}-{high}mL" for low, high in pairwise(edges)]
        return (f"<{edges[0]}mL", *between, f">={edges[-1]}mL")
