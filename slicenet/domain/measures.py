"""Every way in which an input can be unlike a cohort: what it is called, and on which scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.domain.portrait import OWN, SHARED

LOW, BOTH, HIGH = -1, 0, 1  # on which side of the cohort a value is unlike it


@final
@dataclass(frozen=True)
class Measure:
    """One number of an input."""

    name: str
    theme: str  # what the number speaks of
    scale: str  # linear, log or fisher: where healthy brains spread about evenly
    side: int
    # Deviations of a cohort count for no less: no two scans are as alike as those of one study.
    tolerance: float
    label: str  # as a sentence has it
    unit: str = ""

    def scaled(self, value: np.ndarray) -> np.ndarray:
        """`value` on the scale of the measure."""
        if self.scale == "log":
            return np.log(np.maximum(value, 1e-6))
        if self.scale == "fisher":
            return np.arctanh(np.clip(value, -0.999, 0.999))
        return value

    def natural(self, scaled: np.ndarray) -> np.ndarray:
        """The value that `scaled` brought to the scale of the measure."""
        back = {"log": np.exp, "fisher": np.tanh}
        return np.asarray(back[self.scale](scaled) if self.scale in back else scaled)


CONTRAST, RESOLUTION = "contrast", "resolution"
FIELD, SKULL = "field of view", "skull"
OF_COHORT = ("pattern", "histogram")  # of each sequence, against the means of the cohort
MEASURES = {
    measure.name: measure
    for measure in (
        Measure("voxel", RESOLUTION, "log", HIGH, 0.12, "longest edge of a voxel", "mm"),
        Measure("volume", FIELD, "log", BOTH, 0.05, "brain", "ml"),
        Measure("width", FIELD, "log", BOTH, 0.015, "width", "mm"),
        Measure("length", FIELD, "log", BOTH, 0.015, "length", "mm"),
        Measure("height", FIELD, "log", BOTH, 0.015, "height", "mm"),
        Measure("cut", FIELD, "linear", HIGH, 0.05, "share of a section cut off at the file's end"),
        Measure("shell", SKULL, "linear", HIGH, 0.05, "share of ways in that cross a dark shell"),
        Measure("rim", SKULL, "linear", BOTH, 0.1, "brightness of the mask's rim"),
        Measure("detail_x", RESOLUTION, "log", BOTH, 0.05, "fine detail from right to left"),
        Measure("detail_y", RESOLUTION, "log", BOTH, 0.05, "fine detail from back to front"),
        Measure("detail_z", RESOLUTION, "log", BOTH, 0.05, "fine detail from bottom to top"),
        Measure("pattern", CONTRAST, "fisher", LOW, 0.1, "correlation with their mean"),
        Measure("histogram", CONTRAST, "log", HIGH, 0.3, "distance from their mean histogram"),
    )
}


def columns(sequences: int) -> Sequence[tuple[Measure, int]]:
    """The measures of a row in its order, each with its sequence from 1; 0 for the whole input."""
    own = [(name, one) for one in range(1, sequences + 1) for name in (*OWN, *OF_COHORT)]
    whole = [(name, 0) for name in SHARED]
    return [(MEASURES[name], sequence) for name, sequence in (*whole, *own)]
