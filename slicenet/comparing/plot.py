"""Quality against time, one point a backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from slicenet.drawing import png

# Okabe and Ito's colours, which the colour-blind tell apart; the marks differ as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKS = "osD^vPX"
# Where a name may stand beside its point, in points of print, the best place first.
PLACES = [
    (across, up, side)
    for up in (0, 11, -11, 22, -22, 33, -33, 44, -44)
    for across, side in ((9, "left"), (-9, "right"))
]
ROOM = 2.5  # times the range of seconds, left and right of the points, for names


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
    """A PNG of two panels: quality against seconds of training, and against seconds a volume."""
    figure = Figure(figsize=(11, 4.8), facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
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
    canvas.draw()  # the layout is settled: names can be placed
    for axes, times in zip(panels, seconds.values(), strict=True):
        named(axes, times, points, canvas)
    return png(figure)


def named(
    axes: Axes, times: Sequence[float], points: Sequence[Point], canvas: FigureCanvasAgg
) -> list[Bbox]:
    """Write each name where it covers no point, bar or other name, if there is such a place.

    What the names then cover, in pixels.
    """
    taken = [
        box for point, time in zip(points, times, strict=True) for box in _boxes(axes, point, time)
    ]
    marks = len(taken)
    for point, time in zip(points, times, strict=True):
        written = axes.annotate(
            point.name, (time, point.value), (0, 0), textcoords="offset points", va="center",
            fontsize=9,
        )  # fmt: skip
        boxes = [_move(written, place, canvas) for place in PLACES]
        free = [at for at, box in enumerate(boxes) if _fits(box, axes.bbox, taken)]
        taken.append(_move(written, PLACES[free[0] if free else 0], canvas))
    return taken[marks:]


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
        colour = COLOURS[index % len(COLOURS)]
        if point.low is not None and point.high is not None:
            axes.vlines(time, point.low, point.high, color=colour, linewidth=1.4)
        axes.plot(time, point.value, MARKS[index % len(MARKS)], color=colour, markersize=8)


def _move(written: Annotation, place: tuple[int, int, str], canvas: FigureCanvasAgg) -> Bbox:
    """Put a name there; what it then covers, in pixels."""
    across, up, side = place
    written.set_position((across, up))
    written.set(ha=side)
    return written.get_window_extent(canvas.get_renderer())


def _boxes(axes: Axes, point: Point, time: float) -> list[Bbox]:
    """What a point and its bar cover, in pixels."""
    x, y = axes.transData.transform((time, point.value))
    low = axes.transData.transform((time, point.value if point.low is None else point.low))[1]
    high = axes.transData.transform((time, point.value if point.high is None else point.high))[1]
    return [
        Bbox.from_extents(x - 6, y - 6, x + 6, y + 6),
        Bbox.from_extents(x - 2, low, x + 2, high),
    ]


def _fits(box: Bbox, frame: Bbox, taken: Sequence[Bbox]) -> bool:
    inside = frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1
    return inside and not any(box.overlaps(other) for other in taken)
