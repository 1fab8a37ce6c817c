"""A registered head with both brains outlined: what a person judges a preparation by."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slicenet.drawing import png

PLACES = ((-32, -8, 16), (-50, -20, 15), (-15, 15, 45))  # MNI mm: sagittal, coronal, axial
FOUND, AVERAGE = "#f0e442", "#36c5f0"
TITLE = "yellow: this brain; blue: the average brain, in which it should lie"


def picture(
    voxels: np.ndarray, brain: np.ndarray, average: np.ndarray, affine: np.ndarray, title: str
) -> bytes:
    """A PNG of nine slices; all [X, Y, Z] on one grid along the axes of MNI space."""
    figure = Figure(figsize=(9, 9.6), facecolor="white", layout="constrained")
    high = float(np.quantile(voxels[brain], 0.995)) if brain.any() else float(voxels.max() or 1)
    panels = figure.subplots(3, 3)
    for axis, places in enumerate(PLACES):
        for panel, place in zip(panels[axis], places, strict=True):
            index = round(float((place - affine[axis, 3]) / affine[axis, axis]))
            index = min(max(index, 0), voxels.shape[axis] - 1)
            slices = [np.take(one, index, axis).T for one in (voxels, brain, average)]
            _draw(panel, slices, high)
            panel.set_title(f"{'xyz'[axis]} = {place} mm", fontsize=8, loc="left")
    figure.suptitle(f"{title}\n{TITLE}", fontsize=9)
    return png(figure)


def _draw(panel: Axes, slices: Sequence[np.ndarray], high: float) -> None:
    voxels, brain, average = slices
    panel.imshow(voxels, cmap="gray", vmin=0, vmax=high, origin="lower", interpolation="nearest")
    for mask, colour in ((average, AVERAGE), (brain, FOUND)):
        if mask.any() and not mask.all():
            panel.contour(mask, levels=[0.5], colors=[colour], linewidths=0.9)
    panel.set_axis_off()
