"""What made a map, as folded lists at the foot of a page."""

from collections.abc import Iterable, Mapping
from typing import Any

from slicenet.config import paths
from slicenet.report.document import escape, facts
from slicenet.report.folder import Entry, Scored


def of_model(scored: Scored) -> str:
    """The model, its settings and what it was calibrated with."""
    model = scored.model
    pairs = [
        ("backend", model["backend"]), ("model SHA-256", model["sha256"]),
        ("licence of the model", model.get("licence") or "that of its data"),
        ("fitted and calibrated with", f"{len(model.get('training_sources', []))} files"),
        ("calibrated with", f"{model.get('calibration_subjects', 0)} healthy subjects"),
        ("threshold of masks", scored.run.get("threshold") or "none"),
        *((f"threshold {name}", f"{value:.6g}") for name, value in scored.maps.thresholds.items()),
    ]  # fmt: skip
    versions = [(f"{name}", version) for name, version in scored.run.get("versions", {}).items()]
    return _folded("Model", facts(pairs)) + _folded(
        "Settings and versions", facts([*paths(model.get("settings", {})), *versions])
    )


def of_case(entry: Entry) -> str:
    """The files that a case was scored from, and its figures to the last digit."""
    sidecar = entry.sidecar
    pairs = [
        *((source["file"], f"SHA-256 {source['sha256']}") for source in sidecar.get("sources", [])),
        ("map", entry.file.heatmap.name), ("input as read, SHA-256", sidecar["volume_sha256"]),
        ("settings, SHA-256", sidecar["settings_sha256"]), ("units of scores", sidecar["Units"]),
        ("range of scores", " to ".join(f"{value:.6g}" for value in sidecar["range"])),
        *([] if entry.seconds is None else [("seconds to score", f"{entry.seconds:g}")]),
    ]  # fmt: skip
    return _folded("This case", facts(pairs))


def of_inputs(readings: Iterable[Mapping[str, Any]]) -> str:
    """The input beside the healthy brains of the model, measure by measure."""
    rows = "".join(
        f"<tr{' class=unlike' if one['unlike'] else ''}><th scope=row>{escape(one['measure'])}</th>"
        f"<td>{_figure(one['value'])}</td><td>{_figure(one['low'])}</td>"
        f"<td>{_figure(one['high'])}</td></tr>"
        for one in readings
    )
    if not rows:
        return ""
    head = "<tr><th>measure</th><th>here</th><th>usual from</th><th>to</th></tr>"
    return _folded(
        "The input beside the healthy brains of the model",
        f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>',
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"
