"""Scores against those of healthy brains at the same place: a sulcus may differ, white matter not.

A place that few healthy brains have is judged by the whole brain.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.errors import ConfigError

KINDS = ("none", "z", "ecdf")


@dataclass(frozen=True)
class PositionSettings:
    """Settings of `Positions`."""

    kind: str = "none"  # z: deviations from the mean of a place; ecdf: -log share of healthy above
    prior: float = 5.0  # volumes that the whole brain counts for beside those of a place
    levels: int = 16  # quantiles of a place that are kept, for ecdf
    least: int = 8  # volumes that a place needs for quantiles of its own

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind: have {', '.join(KINDS)}; got {self.kind!r}", "E_SETTING")
        if self.prior <= 0 or self.levels < 2 or self.least < 2:
            raise ConfigError("prior must be positive, levels and least from 2", "E_SETTING")


@final
class Positions(nn.Module):
    """Raw scores in, scores by place out; a rising function of the raw score at each place."""

    table: Tensor  # z: [cells, 2] mean and deviation; ecdf: [cells, levels] rising; float32
    tail: Tensor  # [] mean excess of the highest healthy scores over what a table ends with

    def __init__(self, settings: PositionSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("table", torch.empty(0))
        self.register_buffer("tail", torch.ones(()))

    def fit(self, healthy: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Learn from scores [N] of healthy volumes, each with its lattice `inside` [x, y, z]."""
        if self.settings.kind == "none":
            return
        rows = []
        for scores, inside in healthy:
            row = np.full(inside.numel(), np.nan, np.float32)
            row[inside.flatten().cpu().numpy()] = scores.cpu().numpy()
            rows.append(row)
        seen = np.stack(rows)  # [V, cells]
        learnt = _moments(seen, self.settings) if self.settings.kind == "z" else _quantiles(
            seen, self.settings
        )  # fmt: skip
        self.table = torch.from_numpy(learnt.astype(np.float32)).to(self.table.device)
        known = seen[np.isfinite(seen)]
        end = np.quantile(known, _shares(self.settings.levels)[-1])
        self.tail = torch.tensor(max(float(known[known >= end].mean() - end), 1e-6)).to(
            self.table.device
        )

    def judge(self, scores: Tensor, inside: Tensor) -> Tensor:
        """Scores [N] of the cells `inside` [x, y, z], by what is usual at each."""
        if self.settings.kind == "none":
            return scores
        table = self.table[inside.flatten().to(self.table.device)]  # [N, …]
        scores = scores.to(table)
        if self.settings.kind == "z":
            return (scores - table[:, 0]) / table[:, 1]
        return self._surprise(scores, table)

    def _surprise(self, scores: Tensor, table: Tensor) -> Tensor:
        """-log of the share of healthy above, straight between quantiles.

        Beyond them it goes on as a Pareto tail of shape 1 has it, with the logarithm: what is far
        stranger than anything healthy must not swallow its surroundings when a map is smoothed.
        """
        shares = torch.from_numpy(_shares(table.shape[1])).to(table)
        surprise = -(1 - shares).log()  # [levels]
        below = torch.searchsorted(table, scores[:, None])[:, 0].clamp(1, table.shape[1] - 1) - 1
        low, high = (table.gather(1, at[:, None])[:, 0] for at in (below, below + 1))
        part = ((scores - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
        between = surprise[below].lerp(surprise[below + 1], part)
        above = (scores - table[:, -1]).clamp(min=0) / self.tail
        under = (table[:, 0] - scores).clamp(min=0) / self.tail
        return between + above.log1p() - under


def _moments(seen: np.ndarray, settings: PositionSettings) -> np.ndarray:
    """Mean and deviation of each cell, drawn towards those of the whole brain, [cells, 2]."""
    known = np.isfinite(seen)
    count, prior = known.sum(0), settings.prior
    values = np.where(known, seen, 0).astype(np.float64)
    overall = values.sum() / known.sum()
    mean = (values.sum(0) + prior * overall) / (count + prior)
    around = np.where(known, (values - mean) ** 2, 0).sum(0)
    # What the whole brain has left once each place's own mean is taken off.
    typical = around.sum() / known.sum()
    variance = (around + prior * typical) / (count + prior)
    return np.stack((mean, np.sqrt(variance).clip(1e-6)), 1)


def _quantiles(seen: np.ndarray, settings: PositionSettings) -> np.ndarray:
    """Quantiles of each cell, of the whole brain where it is rarely seen, [cells, levels]."""
    shares = _shares(settings.levels)
    overall = np.quantile(seen[np.isfinite(seen)], shares)
    table = np.repeat(overall[None], seen.shape[1], 0)
    often = np.isfinite(seen).sum(0) >= settings.least
    if often.any():
        table[often] = _of_columns(seen[:, often], shares)
    return table


def _of_columns(seen: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles of each column without its NaN, [cells, levels]: NumPy's own go one at a time."""
    ordered = np.sort(seen, 0)  # NaN last
    at = shares * (np.isfinite(seen).sum(0)[:, None] - 1)  # rank, [cells, levels]
    below = at.astype(int)
    columns = np.arange(seen.shape[1])[:, None]
    low, high = ordered[below, columns], ordered[np.ceil(at).astype(int), columns]
    return low + (at - below) * (high - low)


def _shares(levels: int) -> np.ndarray:
    return (np.arange(levels) + 0.5) / levels
