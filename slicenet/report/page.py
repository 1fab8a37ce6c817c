"""The page of one case: viewer, strangest slices, pieces, its place among the healthy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, final

import numpy as np

from slicenet.components import Component, components
from slicenet.errors import Notice
from slicenet.report import provenance
from slicenet.report.document import as_data, document, escape, header, link, picture, warnings
from slicenet.report.folder import GROUP, Entry, Scored
from slicenet.report.montage import COLOURS, Tile, colours, tiles
from slicenet.report.plot import Line, distribution
from slicenet.report.scale import Scale, calibrated, uncalibrated
from slicenet.report.viewer import viewer
from slicenet.report.volumes import Layers, Packed, pack

LISTED = 100  # pieces; those left out are the smallest
TILE = 168  # pixels across
THUMBNAIL = 112
SCRIPTS = ("unpack.js", "state.js", "planes.js", "controls.js", "viewer.js")


@final
@dataclass(frozen=True, eq=False)
class Subject:
    """The page of a case, and what the page of all cases shows of it."""

    entry: Entry
    html: str
    thumbnail: bytes  # PNG
    pieces: int | None  # above the threshold; none without one


def subject(scored: Scored, entry: Entry, layers: Layers, notices: Sequence[Notice]) -> Subject:
    """Everything of one case in one file."""
    inside = layers.scores[layers.brain]
    calibration = scored.calibration
    asked = entry.threshold
    scale = calibrated(calibration, asked) if calibration else uncalibrated(inside, asked)
    packed = pack(layers, scale)
    found = _pieces(layers, asked)
    shown = packed.layers
    strangest = tiles(shown, scale, packed.window, TILE)
    flat = layers.brain.shape[2] == 1
    everything = (*scored.notices, *_said(entry), *notices, *_coarse(packed))
    body = "\n".join([
        header(entry.file.name, f"<nav>{_back(scored.folder, entry.page)}</nav>"),
        warnings(everything), f"<main>{viewer(packed, scale, flat)}",
        _figures(scored, entry, layers), _montage(strangest, shown), _table(found, asked, flat),
        f"<section><h2>Provenance</h2>{provenance.of_case(entry)}{provenance.of_model(scored)}"
        f"{provenance.of_inputs(entry.sidecar.get('domain', []))}</section></main>",
    ])  # fmt: skip
    data = {"facts": as_data(_facts(packed, scale, flat)), **packed.texts}
    html = document(f"{entry.file.name} – slicenet", body, SCRIPTS, data)
    thumbnail = tiles(shown, scale, packed.window, THUMBNAIL, 1)[0].png
    return Subject(entry, html, thumbnail, None if asked is None else len(found))


def _facts(packed: Packed, scale: Scale, flat: bool) -> dict[str, Any]:
    """What the viewer has to know."""
    layers = packed.layers
    place = np.unravel_index(
        int(np.where(layers.brain, layers.scores, -np.inf).argmax()), layers.brain.shape
    )
    return {
        "shape": list(layers.brain.shape), "spacing": list(layers.spacing),
        "affine": layers.affine.tolist(), "inverse": np.linalg.inv(layers.affine).tolist(),
        "place": [int(index) for index in place], "window": list(packed.window),
        "edges": list(packed.edges), "rates": list(scale.rates), "asked": scale.asked,
        "thresholds": scale.thresholds, "flat": flat, "truth": layers.truth is not None,
        "millilitres": float(np.prod(layers.spacing)) / 1000,
        "colours": {name: colours(name).ravel().tolist() for name in COLOURS},
    }  # fmt: skip


def _pieces(layers: Layers, asked: float | None) -> tuple[Component, ...]:
    if asked is None:
        return ()
    above = layers.brain & (layers.scores > np.float32(asked))
    return components(layers.scores, above, layers.affine)[1]


def _said(entry: Entry) -> list[Notice]:
    return [Notice(str(one["code"]), str(one["message"])) for one in entry.sidecar["warnings"]]


def _coarse(packed: Packed) -> list[Notice]:
    if packed.times == 1:
        return []
    text = (
        f"to keep this page small the viewer shows blocks of {packed.times} voxels along each axis "
        "as one, with the strangest score of each; tables and figures are of all voxels"
    )
    return [Notice("W_REDUCED", text)]


def _back(folder: Path, page: Path) -> str:
    up = len(page.relative_to(folder).parts) - 1
    return link(PurePosixPath(*[".."] * up, GROUP), "all cases")


def _figures(scored: Scored, entry: Entry, layers: Layers) -> str:
    """The volume score among the healthy ones, and what lies above the threshold."""
    row, calibration = entry.row, scored.calibration
    drift = scored.model["settings"].get("map", {}).get("drift", {}).get("kind", "none")
    before = "" if drift == "none" else f", before <code>map.drift</code> ({escape(drift)})"
    told = [f"<b>{row['score']:.4g}</b> volume score, the mean of its strangest voxels{before}"]
    lines = [Line("this case", [row["score"]], "case", [entry.file.name])]
    if calibration:
        told.append(
            f"<b>p = {row['p_value']:.2g}</b>, the share of {calibration.subjects} healthy "
            "subjects at least as strange, this one counted in"
        )
        healthy = Line("healthy, held out of training", calibration.volume_scores, "healthy")
        lines.insert(0, healthy)
    told.append(f"<b>{row['peak']:.4g}</b> highest score")
    if row["anomaly_ml"] is not None:
        told.append(
            f"<b>{row['anomaly_ml']:.4g} ml</b> of {row['brain_ml']:.0f} ml above the threshold"
        )
    told += _of_truth(layers, entry.threshold)
    items = "".join(f"<li>{one}</li>" for one in told)
    drawn = distribution(lines, "Volume score of this case among those of healthy brains")
    return (
        f'<section class="figures"><h2>Among healthy brains</h2><ul>{items}</ul>{drawn}</section>'
    )


def _of_truth(layers: Layers, asked: float | None) -> list[str]:
    if layers.truth is None:
        return []
    voxel = float(np.prod(layers.spacing)) / 1000
    told = [f"<b>{layers.truth.sum() * voxel:.4g} ml</b> of truth"]
    if asked is not None and layers.truth.any():
        share = (layers.scores[layers.truth] > np.float32(asked)).mean()
        told[0] += f", {share:.0%} of it above the threshold"
    return told


def _montage(strangest: Sequence[Tile], layers: Layers) -> str:
    shown = []
    for tile in strangest:
        mm = (layers.affine @ [*tile.place, 1])[2]
        name = f"z {mm:.0f} mm".replace("-", "−")
        x, y, z = tile.place
        shown.append(
            f'<button type="button" class="tile" data-voxel="{x},{y},{z}">'
            f"{picture(tile.png, f'strange slice at {name}')}<span>{name}</span></button>"
        )
    return (
        '<section><h2>Strangest slices</h2><p class="hint">Above the threshold in colour; truth, '
        "where it is known, in blue. The patient's left is on the right. A click goes there.</p>"
        f'<div class="montage">{"".join(shown)}</div></section>'
    )


def _table(found: Sequence[Component], asked: float | None, flat: bool) -> str:
    """The pieces above the threshold, largest first."""
    title = '<section><h2 id="pieces">Pieces above the threshold</h2>'
    if asked is None:
        return f"{title}<p>There is no threshold, so there are no pieces.</p></section>"
    if not found:
        return f"{title}<p>Nothing lies above {asked:.4g}.</p></section>"
    rows = "".join(_row(piece, flat) for piece in found[:LISTED])
    more = len(found) - LISTED
    left = f"<p>{more} smaller ones are not listed.</p>" if more > 0 else ""
    size = "pixels" if flat else "mm³"
    head = "".join(
        f"<th scope=col>{name}</th>"
        for name in ("", size, "peak", "mean", "x mm", "y mm", "z mm", "peak at, mm")
    )
    return (
        f'{title}<p class="hint">Above {asked:.4g}, largest first; x to the right, y to the front, '
        "z up. A click on a row goes to its centroid, one on its last cell to its peak.</p>"
        f'<div class="wide tall"><table class="pieces" aria-labelledby="pieces"><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>{left}</section>"
    )


def _row(piece: Component, flat: bool) -> str:
    size = piece.voxels if flat else round(piece.volume)
    cells = [f"{size:,}", f"{piece.peak:.4g}", f"{piece.mean:.4g}", *map(_mm, piece.centroid)]
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    summit = f"{', '.join(map(_mm, piece.summit))}"
    return (
        f'<tr data-mm="{_list(piece.centroid)}"><th scope=row><button type="button" class="go">'
        f"{piece.index}</button></th>{shown}"
        f'<td><button type="button" class="go" data-mm="{_list(piece.summit)}">{summit}'
        "</button></td></tr>"
    )


def _list(place: Sequence[float]) -> str:
    return ",".join(f"{mm:.3f}" for mm in place)


def _mm(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
