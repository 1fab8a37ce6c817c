"""Rank correlation of a weighted sample, many weightings at once."""

import numpy as np

from slicenet.metrics.curve import share

ROWS = 64  # weightings at a time, to bound memory


def spearman(one: np.ndarray, two: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman's coefficient of [N] and [N] for each row of `weights` [R, N], [R].

    A weight says how often the pair occurs; NaN where either side is constant.
    """
    parts = range(0, len(weights), ROWS)
    return np.concatenate([_spearman(one, two, weights[a : a + ROWS]) for a in parts])


def _spearman(one: np.ndarray, two: np.ndarray, weights: np.ndarray) -> np.ndarray:
    first, second = _middle_ranks(one, weights), _middle_ranks(two, weights)
    # Ranks of T pairs always have mean (T + 1) / 2, so nothing cancels when it is taken away.
    centre = (weights.sum(-1, keepdims=True) + 1) / 2
    first, second = first - centre, second - centre
    joint = (weights * first * second).sum(-1)
    spread = (weights * first**2).sum(-1) * (weights * second**2).sum(-1)
    return share(joint, np.sqrt(spread))


def _middle_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rank of each value in each weighted sample, ties sharing their middle one, [R, N]."""
    distinct, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(distinct)))
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.cumsum(counts, 1) - (counts - 1) / 2
    return ranks[:, place]
