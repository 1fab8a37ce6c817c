"""One number of an evaluation, with all that is needed to read it."""

from dataclasses import dataclass
from typing import Any, final

from slicenet.metrics.definitions import DEFINITIONS, Definition
from slicenet.metrics.resamples import Estimate


@final
@dataclass(frozen=True)
class Figure:
    """A figure, its interval, and how many cases it rests on."""

    name: str  # a key of DEFINITIONS
    estimate: Estimate
    count: int  # of what the definition says
    threshold: str = ""  # name of the calibrated threshold, for those that need one
    stratum: str = ""  # name of the size stratum, if of one only
    error: float | None = None  # how far the exact figure can be off; None means not at all

    @property
    def key(self) -> str:
        """Unique within an evaluation: `dice@fpr0.01`, `lesion_f1[<0.5mL]@fpr0.01`."""
        stratum = f"[{self.stratum}]" if self.stratum else ""
        return f"{self.name}{stratum}" + (f"@{self.threshold}" if self.threshold else "")

    @property
    def definition(self) -> Definition:
        """What the figure is."""
        return DEFINITIONS[self.name]

    def to_row(self) -> dict[str, Any]:
        """Plain values, None where there is none; never NaN."""
        return {
            "figure": self.key,
            "value": self.estimate.value,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "n": self.count,
            "of": self.definition.of,
            "unit": self.definition.unit,
            "oracle": self.definition.oracle,
            "error": self.error,
            "meaning": self.definition.meaning,
        }
