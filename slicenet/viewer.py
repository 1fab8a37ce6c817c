"""A map for a browser: what was written beside it to be looked at, or a page made of it."""

import os
import re
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nilearn.plotting import view_img

from slicenet import files
from slicenet.drawing import COLOURS
from slicenet.errors import Notice, VolumeError
from slicenet.images.options import ReadOptions
from slicenet.images.printable import naming
from slicenet.images.stored import read_stored
from slicenet.output import HEATMAP, OVERLAY, SIDECAR

REPORT = "_report.html"
OPAQUE = 0.8
ICON = re.compile(r"<link rel=.icon.[^>]*>")  # of nilearn's page, which would be fetched
# Whatever else a page may hold, a browser fetches nothing for it.
ALONE = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src data: blob: 'unsafe-inline' 'unsafe-eval'\">"
)
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # any of them says that a page can be shown


def beside(heatmap: Path) -> Path | None:
    """The report of the case, or the overlay of a picture; none if there is neither."""
    if not heatmap.name.endswith(HEATMAP):
        return None
    found = (_neighbour(heatmap, ending) for ending in (REPORT, OVERLAY))
    return next((path for path in found if path.is_file()), None)


def image_of(heatmap: Path) -> tuple[Path | None, tuple[Notice, ...]]:
    """The image that a map was made from, as its sidecar has it, if it is still that image."""
    told = _told(heatmap)
    for source in told.get("sources", [])[:1]:
        depth = len(Path(told["row"]["folder"]).parts)
        image = heatmap.resolve().parents[depth] / source["path"]
        if image.is_file() and files.digest(image) == source["sha256"]:
            return image, ()
        text = f"{image}: not there any more as it was scored; --image names another"
        return None, (Notice("W_SOURCE", text),)
    return None, ()


def page(heatmap: Path, image: Path | None) -> str:
    """One page for all three planes, which needs nothing else and no network."""
    scores = _read(heatmap)
    values = np.asarray(scores.dataobj)
    if min(values.shape) < 2:
        hint = "a picture has a .png beside its map"
        raise VolumeError(f"{heatmap}: has one slice, and a page needs planes", "E_FLAT", hint)
    if values.min() == values.max():
        raise VolumeError(f"{heatmap}: all voxels are {values.min():g}", "E_CONSTANT")
    bottom, title = _bottom(values, _told(heatmap).get("threshold", {}).get("value"))
    # Not the scores themselves: they may lie below 0, where nilearn knows no threshold.
    above = np.maximum(values - bottom, 0)
    top = float(np.quantile(above[above > 0], 0.999))
    drawn = view_img(
        nib.Nifti1Image(above, scores.affine), None if image is None else _read(image),
        threshold=top * 1e-6, vmax=top, vmin=-top / 2,  # the lowest colours are too dark to see
        cmap=COLOURS, symmetric_cmap=False, opacity=OPAQUE, black_bg=True, dim=0, title=title,
        resampling_interpolation="nearest",
    )  # fmt: skip
    return ICON.sub(ALONE, drawn.get_standalone(), count=1)


def show(path: Path) -> bool:
    """Open a page where there is something to open it with; whether there was."""
    desktop = sys.platform in ("win32", "darwin")
    # Without a screen a browser of text would take the terminal.
    if not desktop and not any(os.environ.get(name) for name in SCREENS):
        return False
    return webbrowser.open(path.resolve().as_uri())


def _bottom(values: np.ndarray, threshold: float | None) -> tuple[float, str]:
    """From where the map is drawn, and what to call that."""
    if threshold is not None and (values > threshold).any():
        return threshold, f"height above the threshold of {threshold:.4g}"
    nothing = "" if threshold is None else f"; nothing lies above {threshold:.4g}"
    inside = values[values != 0]
    tenth = float(np.quantile(inside, 0.9)) if inside.size else 0.0
    if (values > tenth).any():
        return tenth, f"height of the strangest tenth, above {tenth:.4g}{nothing}"
    return float(values.min()), f"all of it{nothing}"


def _read(path: Path) -> nib.Nifti1Image:
    with naming(path):
        stored = read_stored(path, ReadOptions(assume_ras=True))
    return nib.Nifti1Image(np.nan_to_num(stored.voxels), stored.place.grid.affine)


def _told(heatmap: Path) -> Mapping[str, Any]:
    """The sidecar of a map that `slicenet score` wrote; empty beside any other file."""
    told = files.read_json(_neighbour(heatmap, SIDECAR))
    return told if heatmap.name.endswith(HEATMAP) and "row" in told else {}


def _neighbour(heatmap: Path, ending: str) -> Path:
    return heatmap.with_name(heatmap.name.removesuffix(HEATMAP) + ending)
