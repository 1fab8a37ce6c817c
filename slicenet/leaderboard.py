"""Backends side by side: the few figures that decide, each with its interval."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

# Figures of an evaluation, by key, and their names for people.
COLUMNS = {
    "average_precision": "AP",
    "auroc": "AUROC",
    "dice@fpr0.01": "Dice at 1 % FPR",
    "oracle_dice": "⌈Dice⌉ (oracle)",
    "lesion_sensitivity@fpr0.01": "lesions found",
    "healthy_false_positive_rate@fpr0.01": "FPR in healthy",
    "volume_auroc": "volume AUROC",
}


@final
@dataclass(frozen=True)
class Line:
    """One backend: its figures as an evaluation's `to_json` gives them, and what it took."""

    backend: str
    evaluation: Mapping[str, Any]
    seconds: float | None = None  # a volume scored
    failure: str = ""  # why there are no figures

    def cells(self) -> list[str]:
        """The backend, its figures as people read them, and its seconds."""
        if self.failure:
            return [self.backend, self.failure, *[""] * len(COLUMNS)]
        figures = {row["figure"]: row for row in self.evaluation["figures"]}
        seconds = "–" if self.seconds is None else f"{self.seconds:.2f}"
        return [self.backend, *(_figure(figures.get(key)) for key in COLUMNS), seconds]


def header() -> list[str]:
    """The names of the columns."""
    return ["backend", *COLUMNS.values(), "s/volume"]


def text(lines: Sequence[Line]) -> str:
    """The table for a terminal: figures on a line, intervals below them."""
    rows = [header(), *(line.cells() for line in lines)]
    split = [[cell.partition(" [") for cell in row] for row in rows]
    above = [[first for first, _, _ in row] for row in split]
    below = [[f"[{rest}" if rest else "" for _, _, rest in row] for row in split]
    widths = [max(len(row[at]) for row in (*above, *below)) for at in range(len(rows[0]))]
    shown = []
    for top, bottom in zip(above, below, strict=True):
        shown.append(_aligned(top, widths))
        if any(bottom):
            shown.append(_aligned(bottom, widths))
    return "\n".join(shown)


def markdown(lines: Sequence[Line]) -> str:
    """The table for a README."""
    rows = [header(), ["---"] * len(header()), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def page(lines: Sequence[Line]) -> str:
    """The table as HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header())
    body = "".join(
        f"<tr>{''.join(f'<td>{_stacked(cell)}</td>' for cell in line.cells())}</tr>"
        for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stacked(cell: str) -> str:
    """A figure with its interval below it, so that the table fits a page."""
    value, _, interval = cell.partition(" [")
    below = f"<br><small>[{html.escape(interval)}</small>" if interval else ""
    return html.escape(value) + below


def records(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One flat record a backend, for CSV and JSON; None where a figure does not exist."""
    found = []
    for line in lines:
        figures = {row["figure"]: row for row in line.evaluation.get("figures", [])}
        record: dict[str, Any] = {"backend": line.backend}
        for key in COLUMNS:
            row = figures.get(key, {})
            record |= {key: row.get("value"), f"{key}:low": row.get("low"),
                       f"{key}:high": row.get("high")}  # fmt: skip
        found.append(record | {"seconds": line.seconds, "failure": line.failure or None})
    return found


def spreadsheet(lines: Sequence[Line]) -> str:
    """The records as CSV."""
    rows = records(lines)
    whole = io.StringIO()
    writer = csv.DictWriter(whole, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return whole.getvalue()


def _figure(row: Mapping[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "–"
    if row["low"] is None:
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} [{row['low']:.2f}–{row['high']:.2f}]"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in rest)])
