"""Volume scores of healthy brains as dots, and where others lie among them; as SVG."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

WIDTH, LEFT, RIGHT = 640, 14, 626
ROW = 46  # height of a line of dots
RADIUS = 4.0
TICKS = 6


@final
@dataclass(frozen=True)
class Line:
    """Scores on one line of the plot."""

    label: str
    scores: Sequence[float]
    kind: str  # its CSS class: "healthy", "case" or "truth"
    names: Sequence[str] = ()  # shown beside the pointer


def distribution(lines: Sequence[Line], label: str) -> str:
    """All lines on one axis; dots that would hide each other are stacked."""
    values = [score for line in lines for score in line.scores]
    if not values:
        return ""
    ticks = _ticks(min(values), max(values))
    low, high = min(values[0], *values, ticks[0]), max(*values, ticks[-1], min(values) + 1e-9)
    height = ROW * len(lines) + 40

    def across(score: float) -> float:
        return LEFT + (RIGHT - LEFT) * (score - low) / (high - low)

    parts = [
        f'<div class="wide"><svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{html.escape(label, quote=True)}">'
    ]
    base = height - 30
    for tick in ticks:
        x = across(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{base}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 16}">{tick:g}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{base}" y2="{base}"/>')
    for index, line in enumerate(lines):
        parts.append(_drawn(line, [across(s) for s in line.scores], ROW * (index + 1)))
    return "".join([*parts, "</svg></div>"])


def _drawn(line: Line, places: Sequence[float], floor: float) -> str:
    """The dots of a line from its floor up, each with its name and score."""
    shown = [
        f'<text class="label" x="{LEFT}" y="{floor - ROW + 14}">{html.escape(line.label)}</text>'
    ]
    stacked: dict[int, int] = {}
    for at in np.argsort(places, kind="stable"):
        cell = int(places[at] // (2 * RADIUS))
        # A tall stack is pressed together: it stays on its line.
        up = min(stacked.get(cell, 0) * 2 * RADIUS * 0.8, ROW - 26)
        stacked[cell] = stacked.get(cell, 0) + 1
        name = f"{line.names[at]}: " if line.names else ""
        told = html.escape(f"{name}{line.scores[at]:.4g}")
        shown.append(
            f'<circle class="{line.kind}" cx="{places[at]:.1f}" cy="{floor - 6 - up:.1f}" '
            f'r="{RADIUS}"><title>{told}</title></circle>'
        )
    return "".join(shown)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that hold both ends."""
    span = max(high - low, abs(high) * 1e-3, 1e-9)
    rough = span / TICKS
    unit = 10.0 ** np.floor(np.log10(rough))
    step = float(next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough))
    first, last = np.floor(low / step), np.ceil(high / step)
    return [round(float(n * step), 12) for n in np.arange(first, last + 1)]
