"""Backends side by side: the few figures that decide, each with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from slicenet import tables

# Figures of an evaluation, by key, and their names for people.
COLUMNS = {
    "average_precision": "AP",
    "auroc": "AUROC",
    "dice@fpr0.01": "Dice at 1 % FPR",
    "oracle_dice": "⌈Dice⌉ (oracle)",
    "lesion_sensitivity@fpr0.01": "lesions found",
    "lesion_ppv@fpr0.01": "lesion PPV",
    "healthy_false_positive_rate@fpr0.01": "FPR in healthy",
    "volume_auroc": "volume AUROC",
    "slice_auroc": "slice AUROC",
}
ABSENT = "–"


@final
@dataclass(frozen=True)
class Line:
    """One backend: its figures as an evaluation's `to_json` gives them, and what it took."""

    backend: str
    evaluation: Mapping[str, Any]  # a figure may have a `spread` over seeds
    seconds: float | None = None  # a volume scored
    failure: str = ""  # why there are no figures


def rows(lines: Sequence[Line]) -> list[list[str]]:
    """Header and one row a backend; seconds only where any are known."""
    timed = any(line.seconds is not None for line in lines)
    header = ["backend", *COLUMNS.values(), *(["s/volume"] if timed else [])]
    return [header, *(_cells(line, timed) for line in lines)]


def text(lines: Sequence[Line]) -> str:
    """The table for a terminal: figures on a line, intervals below them."""
    return tables.text(rows(lines))


def markdown(lines: Sequence[Line]) -> str:
    """The table for a README."""
    return tables.markdown(rows(lines))


def page(lines: Sequence[Line]) -> str:
    """The table as HTML."""
    return tables.page(rows(lines))


def _cells(line: Line, timed: bool) -> list[str]:
    figures = {row["figure"]: row for row in line.evaluation.get("figures", [])}
    cells = [_figure(figures.get(key)) for key in COLUMNS]
    if timed:
        cells.append(ABSENT if line.seconds is None else f"{line.seconds:.2f}")
    if line.failure:
        cells = [line.failure, *[""] * (len(cells) - 1)]
    return [line.backend, *cells]


def _figure(row: Mapping[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return ABSENT
    spread = row.get("spread")
    value = f"{row['value']:.3f}" + ("" if spread is None else f" ±{spread:.3f}")
    return value if row["low"] is None else f"{value} [{row['low']:.2f}–{row['high']:.2f}]"
