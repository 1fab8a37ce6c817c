"""How a training went, to look at: a picture of all that was measured, and a page around it."""

import base64
import html
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slicenet import tables
from slicenet.drawing import png
from slicenet.journal import Stage

# Values that share a panel; what no line names has one of its own.
TOGETHER = {"healthy_beyond": "beyond the boundary", "strange_beyond": "beyond the boundary"}
NAMES = {
    "loss": "loss",
    "held": "held-out log density",
    "dice": "Dice of what it finds",
    "healthy_beyond": "healthy vectors",
    "strange_beyond": "strange vectors",
}
COUNTS = ("tokens",)  # of a step: told as a rate
COLOURS = ("#0072b2", "#d55e00", "#009e73")
COLUMNS = 3
ROUGH = 40  # points from which on a mean runs through them
RESEARCH = "Research use, not a medical device."
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 2rem 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #8886 }
th:first-child, td:first-child { text-align: left }
img { max-width: 100%; border-radius: 4px }
.note { border-left: 4px solid #e69f00; padding-left: 1rem }
"""

Points = Sequence[tuple[int, float]]


def training_png(stages: Sequence[Stage]) -> bytes:
    """Every value of every stage against its steps; empty if nothing was measured twice."""
    panels = [
        (stage, title, curves) for stage in stages for title, curves in _panels(stage).items()
    ]
    if not panels:
        return b""
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(11, 2.6 * rows), layout="constrained")
    for place, (stage, title, curves) in enumerate(panels, start=1):
        _draw(figure.add_subplot(rows, COLUMNS, place), stage, title, curves)
    return png(figure)


def training_page(title: str, stages: Sequence[Stage], facts: str) -> str:
    """A self-contained page: the picture, what each stage took, and what came of it."""
    drawn = training_png(stages)
    shown = (
        f'<p><img alt="Curves of training" src="data:image/png;base64,'
        f'{base64.b64encode(drawn).decode()}"></p>'
        if drawn
        else "<p>Nothing was learnt step by step: this backend is fitted in closed form, or what "
        "it had learnt before was taken from the cache.</p>"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Training of {html.escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>Training of {html.escape(title)}</h1>
<p class="note">{RESEARCH}</p>
{shown}
<div class="wide">{tables.page(_rows(stages))}</div>
<pre>{html.escape(facts)}</pre>
</body></html>
"""


def _panels(stage: Stage) -> dict[str, dict[str, Points]]:
    """Curves by the title of their panel; what was told once is no curve."""
    found: dict[str, dict[str, Points]] = {}
    for name, points in stage.values.items():
        if len(points) > 1 and name not in COUNTS:
            label = _label(name)
            found.setdefault(TOGETHER.get(name, label), {})[label] = points
    return found


def _label(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))


def _draw(axes: Axes, stage: Stage, title: str, curves: dict[str, Points]) -> None:
    for colour, (label, points) in zip(COLOURS, curves.items(), strict=False):
        steps, values = np.array(points).T
        rough = len(values) >= ROUGH
        axes.plot(steps, values, color=colour, linewidth=1.0, alpha=0.25 if rough else 1.0)
        if rough:
            axes.plot(steps, smoothed(values), color=colour, linewidth=1.6, label=label)
        elif len(curves) > 1:
            axes.plot([], [], color=colour, label=label)
    axes.set_title(f"{stage.name}: {title}", fontsize=10, loc="left")
    axes.set_xlim(0, max(stage.total, stage.steps[-1]))
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if len(curves) > 1:
        axes.legend(fontsize=8, frameon=False)


def smoothed(values: np.ndarray) -> np.ndarray:
    """A running mean over a twentieth of the values, each side; shorter at the ends."""
    reach = max(1, len(values) // 20)
    whole = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    places = np.arange(len(values))
    low, high = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    return np.asarray((whole[high] - whole[low]) / (high - low))


def _rows(stages: Sequence[Stage]) -> list[list[str]]:
    rows = [["stage", "steps", "seconds", "at the end"]]
    before = 0.0
    for stage in stages:
        seconds, before = stage.seconds[-1] - before, stage.seconds[-1]
        ends = [
            f"{' '.join(filter(None, (_label(name), TOGETHER.get(name))))} {points[-1][1]:.4g}"
            for name, points in stage.values.items()
            if name not in COUNTS
        ]
        ends += [
            f"{sum(value for _, value in stage.values[name]) / seconds:,.0f} {name} a second"
            for name in COUNTS
            if name in stage.values and seconds > 0
        ]
        rows.append([stage.name, str(stage.steps[-1]), f"{seconds:.1f}", ", ".join(ends)])
    return rows
