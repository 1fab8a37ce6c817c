"""Many tests at once: some differ by luck alone."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's p-values, in the order given: below 0.05, all of those hold with 95 % together."""
    if not p_values:
        return []
    p = np.array(p_values)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted.tolist()
