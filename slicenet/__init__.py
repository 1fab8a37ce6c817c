"""Find what is abnormal in a 3D brain MRI after seeing only healthy brains."""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from slicenet.backends import BACKENDS
    from slicenet.checkpoint import load
    from slicenet.cohort import Cohort, find_cohort
    from slicenet.detector import Detector
    from slicenet.errors import SlicenetError
    from slicenet.scorers.gnsm_table import CategoricalTable
    from slicenet.scoring import AnomalyMap
    from slicenet.volume import Volume

_HOMES = {
    "BACKENDS": "slicenet.backends",
    "AnomalyMap": "slicenet.scoring",
    "CategoricalTable": "slicenet.scorers.gnsm_table",
    "Cohort": "slicenet.cohort",
    "Detector": "slicenet.detector",
    "SlicenetError": "slicenet.errors",
    "Volume": "slicenet.volume",
    "find_cohort": "slicenet.cohort",
    "load": "slicenet.checkpoint",
}

__all__ = [
    "BACKENDS",
    "AnomalyMap",
    "CategoricalTable",
    "Cohort",
    "Detector",
    "SlicenetError",
    "Volume",
    "find_cohort",
    "load",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `slicenet --help` must not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'slicenet' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
