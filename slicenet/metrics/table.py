"""The figures as rows: for people on a terminal, for machines as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from slicenet.metrics.definitions import DEFINITIONS, SECTIONS, THRESHOLD
from slicenet.metrics.figures import Figure
from slicenet.metrics.summary import CaseSummary

ABSENT = "\N{EN DASH}"


@final
@dataclass(frozen=True)
class Row:
    """One line of the table for people."""

    section: str
    figure: str
    value: str
    interval: str
    count: str


def figure_rows(figures: Sequence[Figure], thresholds: Mapping[str, float]) -> list[Row]:
    """The table for people, by section and threshold; of the strata, sensitivity only."""
    shown = [figure for figure in figures if not figure.stratum or _is_sensitivity(figure)]
    names, sections = list(DEFINITIONS), list(SECTIONS)
    levels = ["", *thresholds]

    def place(figure: Figure) -> tuple[int, int, int]:
        section = sections.index(figure.definition.section)
        return section, levels.index(figure.threshold), names.index(figure.name)

    return [_row(figure, thresholds) for figure in sorted(shown, key=place)]


def text_table(rows: Sequence[Row]) -> str:
    """The rows in aligned columns, with a line above each section."""
    cells = [(row.figure, row.value, row.interval, row.count) for row in rows]
    header = ("figure", "value", "interval", "n")
    widths = [max(len(line[at]) for line in (header, *cells)) for at in range(len(header))]
    lines = [_line(header, widths)]
    section = ""
    for row, line in zip(rows, cells, strict=True):
        if row.section != section:
            section = row.section
            lines += ["", section]
        lines.append(_line(line, widths))
    return "\n".join(lines)


def case_rows(cases: Sequence[CaseSummary]) -> list[dict[str, Any]]:
    """One row for each volume, with the same columns in all; None where a figure is not."""
    names = list(dict.fromkeys(name for case in cases for name in case.values))
    return [
        {
            "name": case.name,
            "subject": case.subject,
            "lesioned": case.lesioned,
            "volume_score": case.volume_score,
            **case.facts,
            **{name: case.values.get(name) for name in names},
        }
        for case in cases
    ]


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the same columns as CSV; None becomes an empty cell."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def number_text(value: float | None) -> str:
    """Three digits after the point, or three that count if it is small."""
    if value is None:
        return ABSENT
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2e}"


def interval_text(low: float | None, high: float | None) -> str:
    """Both ends, or a dash where they cannot be told."""
    return ABSENT if low is None or high is None else f"{number_text(low)} to {number_text(high)}"


def _is_sensitivity(figure: Figure) -> bool:
    return figure.name == "lesion_sensitivity"


def _row(figure: Figure, thresholds: Mapping[str, float]) -> Row:
    definition, estimate = figure.definition, figure.estimate
    section = definition.section
    if section == THRESHOLD:
        section = f"{section} {figure.threshold} (score above {thresholds[figure.threshold]:.4g})"
    label = definition.label + (f", {figure.stratum}" if figure.stratum else "")
    unit = f" {definition.unit}" if definition.unit and estimate.value is not None else ""
    error = f" ± {figure.error:.0e}" if figure.error else ""
    return Row(
        section=section,
        figure=f"  {label} **oracle**" if definition.oracle else f"  {label}",
        value=number_text(estimate.value) + error + unit,
        interval=interval_text(estimate.low, estimate.high),
        count=f"{figure.count} {definition.of}",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
