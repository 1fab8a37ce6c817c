"""Quality against time, one point a backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from slicenet.drawing import png

# Okabe and Ito's colours, which the colour-blind tell apart; the marks differ as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKS = "osD^vPX"
ROOM = 1.6  # times the range of seconds, left and right of the points


@final
@dataclass(frozen=True)
class Point:
    """A backend's quality with its interval, and its two times."""

    name: str
    value: float
    low: float | None
    high: float | None
    train_seconds: float
    score_seconds: float


def plot(points: Sequence[Point], quality: str) -> bytes:
    """A PNG of two panels: quality against seconds of training, and against seconds a volume.

    Names stand beside them in the order of the points: points may lie as close as they like.
    """
    figure = Figure(figsize=(11, 4.4), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    panels[0].set_ylabel(f"{quality}, 95 % over subjects")
    highest = max(point.high or point.value for point in points)
    panels[0].set_ylim(0, min(max(1.1 * highest, 0.05), 1.0))
    seconds = {
        "seconds of training": [point.train_seconds for point in points],
        "seconds to score a volume": [point.score_seconds for point in points],
    }
    for axes, (name, times) in zip(panels, seconds.items(), strict=True):
        _draw(axes, name, times, points)
    marks, names = panels[0].get_legend_handles_labels()
    figure.legend(marks, names, loc="outside right center", frameon=False)
    return png(figure)


def style(index: int) -> tuple[str, str]:
    """Colour and mark of a point; no two of the first 49 share both."""
    turns, place = divmod(index, len(COLOURS))
    return COLOURS[place], MARKS[(place + turns) % len(MARKS)]


def _draw(axes: Axes, name: str, times: Sequence[float], points: Sequence[Point]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(min(times) / ROOM, max(times) * ROOM)
    axes.set_xlabel(name)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for index, (point, time) in enumerate(zip(points, times, strict=True)):
        colour, mark = style(index)
        if point.low is not None and point.high is not None:
            axes.vlines(time, point.low, point.high, color=colour, linewidth=1.4)
        axes.plot(time, point.value, mark, color=colour, markersize=8, label=point.name)
