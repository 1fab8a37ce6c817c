"""Slices with a map laid over them: what people look at first."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage
from scipy.special import expit

COLOURS = "inferno"  # even in lightness, and fit for the colour-blind
TRUTH = "#36c5f0"  # outline: far from every colour of the map
MARGIN = 4  # voxels shown around the brain


@final
@dataclass(frozen=True, eq=False)
class Row:
    """One volume to draw: the slice of its truth, or its strangest one."""

    title: str
    image: np.ndarray  # [X, Y, Z] RAS
    brain: np.ndarray  # [X, Y, Z] bool
    truth: np.ndarray | None  # [X, Y, Z] bool
    spacing: Sequence[float]  # mm
    maps: dict[str, tuple[np.ndarray, float]]  # scores [X, Y, Z] and the threshold, by backend


def overlay_html(overlay: bytes, facts: str) -> str:
    """The PNG of an overlay as one HTML fragment without outside links."""
    return (
        f"<figure><img alt='anomaly map' src='data:image/png;base64,"
        f"{base64.b64encode(overlay).decode()}'><figcaption>{html.escape(facts)}"
        "</figcaption></figure>"
    )


def overlay_png(
    image: np.ndarray, scores: np.ndarray, brain: np.ndarray, spacing: np.ndarray
) -> bytes:
    """Three planes through the strangest place, the map laid over the image."""
    window = _around(brain)
    image, scores, brain = image[window], scores[window], brain[window]
    place = np.unravel_index(np.where(brain, scores, -np.inf).argmax(), scores.shape)
    low, high = _window(image, brain)
    bottom, top = np.quantile(scores[brain], (0.9, 0.999))
    figure = Figure(figsize=(9, 3.2), facecolor="black")
    for axis in range(3):
        axes = figure.add_subplot(1, 3, axis + 1)
        across = [spacing[other] for other in range(3) if other != axis]
        _show(axes, _slice(image, axis, int(place[axis])), "gray", low, high, across)
        over = _slice(np.where(brain & (scores > bottom), scores, np.nan), axis, int(place[axis]))
        _show(axes, over, COLOURS, bottom, max(top, bottom + 1e-6), across, 0.75)
    figure.subplots_adjust(0, 0, 1, 1, 0.02, 0)
    return png(figure)


def picture_png(
    image: np.ndarray, scores: np.ndarray, brain: np.ndarray, above: np.ndarray | None
) -> bytes:
    """A picture at its own size with its strangest tenth in colour; all [H, W].

    What lies `above` the threshold is outlined.
    """
    low, high = np.quantile(image, (0.005, 0.995))
    grey = np.clip((image - low) / max(high - low, 1e-6), 0, 1)
    bottom, top = np.quantile(scores[brain], (0.9, 0.999))
    heat = np.clip((scores - bottom) / max(top - bottom, 1e-6), 0, 1)
    colour = matplotlib.colormaps[COLOURS](heat)[..., :3]
    shown = np.repeat(grey[..., None], 3, -1)
    weight = 0.75 * (heat * brain)[..., None]  # what is hardly strange hardly covers the picture
    shown = (1 - weight) * shown + weight * colour
    if above is not None:
        shown[above & ~ndimage.binary_erosion(above)] = 1.0
    return _saved(Image.fromarray((shown * 255).round().astype(np.uint8)))


def mask_png(mask: np.ndarray) -> bytes:
    """White where the mask [H, W] is, black elsewhere."""
    return _saved(Image.fromarray(mask.astype(np.uint8) * 255))


def _saved(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def squashed(scores: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Scores on a scale from 0 to 1 of their own brain, [X, Y, Z]; 0 outside.

    Their distance from the median in spans from the 5th to the 95th percentile, through a sigmoid.
    It is for the eye alone: two brains on such scales cannot be compared, and no threshold holds.
    """
    low, middle, high = np.quantile(scores[brain], (0.05, 0.5, 0.95))
    return np.where(brain, expit((scores - middle) / max(high - low, 1e-6)), 0.0)


def montage(rows: Sequence[Row]) -> bytes:
    """A PNG: each row is one volume: its slice, truth outlined, then each backend's map."""
    backends = list(rows[0].maps)
    columns = 1 + len(backends)
    figure = Figure(figsize=(2.6 * columns, 3.2 * len(rows)), facecolor="white")
    for index, row in enumerate(rows):
        _draw_row(figure, len(rows), columns, index, _cropped(row))
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.96, 0.03, 0.12)
    return png(figure)


def _draw_row(figure: Figure, rows: int, columns: int, index: int, row: Row) -> None:
    height = _telling_slice(row)
    low, high = _window(row.image, row.brain)
    truth = None if row.truth is None else row.truth[:, :, height].T
    panels = [(row.title, None, 0.0), *((k, v, t) for k, (v, t) in row.maps.items())]
    for column, (title, scores, threshold) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, index * columns + column + 1)
        axes.set_title(title, fontsize=9, loc="left")
        across = row.spacing[0], row.spacing[1]
        if scores is None:
            _show(axes, row.image[:, :, height].T, "gray", low, high, across)
        else:
            inside = row.brain[:, :, height]
            shown = np.where(inside, scores[:, :, height], np.nan).T
            bottom, top = np.quantile(scores[row.brain], (0.5, 0.9995))
            _show(axes, shown, COLOURS, bottom, max(top, bottom + 1e-6), across)
            flagged = (inside & (scores[:, :, height] > threshold)).T
            _outline(axes, flagged, "white", 0.6)
        if truth is not None:
            _outline(axes, truth, TRUTH, 1.2)


def _cropped(row: Row) -> Row:
    """The row without the air around its brain."""
    window = _around(row.brain)
    return replace(
        row, image=row.image[window], brain=row.brain[window],
        truth=None if row.truth is None else row.truth[window],
        maps={name: (scores[window], threshold) for name, (scores, threshold) in row.maps.items()},
    )  # fmt: skip


def _around(brain: np.ndarray) -> tuple[slice, ...]:
    """The box of the brain with a margin."""
    window = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(brain.any(others))
        window.append(slice(max(filled[0] - MARGIN, 0), filled[-1] + MARGIN + 1))
    return tuple(window)


def _telling_slice(row: Row) -> int:
    """The axial slice with most truth, or else the strangest one of the first map."""
    if row.truth is not None and row.truth.any():
        return int(row.truth.sum((0, 1)).argmax())
    scores, _ = next(iter(row.maps.values()))
    return int(np.where(row.brain, scores, -np.inf).max((0, 1)).argmax())


def _show(
    axes: "matplotlib.axes.Axes", picture: np.ndarray, colours: str, low: float, high: float,
    across: Sequence[float], alpha: float = 1.0,
) -> None:  # fmt: skip
    # Seen from the feet, as radiologists do: the patient's left is on the right.
    axes.imshow(
        picture, cmap=colours, vmin=low, vmax=high, origin="lower", alpha=alpha,
        aspect=across[1] / across[0], interpolation="nearest",
    )  # fmt: skip
    axes.set_xlim(picture.shape[1] - 0.5, -0.5)
    axes.set_facecolor("black")
    axes.set_xticks([])
    axes.set_yticks([])


def _outline(axes: "matplotlib.axes.Axes", mask: np.ndarray, colour: str, width: float) -> None:
    if mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors=[colour], linewidths=width)


def _slice(volume: np.ndarray, axis: int, index: int) -> np.ndarray:
    return np.take(volume, index, axis).T


def _window(image: np.ndarray, brain: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(image[brain], (0.01, 0.99))
    return float(min(low, 0)), float(high)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    # No date and no version inside: the same maps give the same bytes.
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()
