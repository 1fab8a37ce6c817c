"""What made the maps, for run.json and for the sidecar of each map."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slicenet import files
from slicenet.checkpoint import Model, settings_table, versions
from slicenet.cohort import Case
from slicenet.domain import strange_themes
from slicenet.output.places import place
from slicenet.scoring import AnomalyMap


def of_model(model: Model) -> dict[str, Any]:
    """Everything that a reader of maps may ask of the model that made them."""
    calibration, domain = model.detector.calibration, model.detector.domain
    return {
        "backend": model.name,
        "sha256": model.digest,
        "licence": model.origin.licence,
        "synthetic": model.origin.synthetic,
        "settings": settings_table(model.backend),
        "calibration_sources": list(model.origin.calibrated),
        "training_sources": [*model.origin.fitted, *model.origin.files],
        "thresholds": calibration.thresholds() if calibration else {},
        "calibration": calibration.to_table() if calibration else None,
        "calibration_subjects": calibration.subjects if calibration else 0,
        "domain_subjects": domain.subjects,
        "domain": [asdict(usual) for usual in domain.usual()],
    }


def of_run(
    model: Model, threshold: str | None, native: bool, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of run.json."""
    return {
        "format": 1,
        "model": of_model(model),
        "threshold": threshold,
        "native": native,
        "options": plain(options),
        "versions": versions(),
    }


def of_case(case: Case, anomalies: AnomalyMap, threshold: str | None, out: Path) -> dict[str, Any]:
    """The part of a sidecar that tells of input and map, in words of our own."""
    inside = anomalies.scores[anomalies.brain]
    value = anomalies.value(threshold) if threshold else None
    return {
        "sources": sources(case, out),
        "volume_sha256": anomalies.volume.digest,
        "threshold": {"asked": threshold, "value": value},
        "Units": "arbitrary, comparable between volumes of one model",
        "range": [float(inside.min()), float(inside.max())],
        "row": _row(case, anomalies, value),
        "domain": [reading.to_table() for reading in anomalies.readings],
        "warnings": [asdict(notice) for notice in anomalies.volume.notices],
    }


def plain(options: Mapping[str, Any]) -> dict[str, str]:
    """How inputs were read, as words."""
    return {key: str(value) for key, value in options.items()}


def sources(case: Case, out: Path) -> list[dict[str, str]]:
    """The files that a case is read from: where they lie as seen from `out`, what is in them."""
    return [
        {"file": path.name, "path": place(path, out), "sha256": files.digest(path)}
        for path in case.files
    ]


def _row(case: Case, anomalies: AnomalyMap, value: float | None) -> dict[str, Any]:
    """The row of scores.tsv; `value` is the score of the threshold."""
    inside = anomalies.scores[anomalies.brain]
    voxel = float(abs(anomalies.volume.spacing.prod())) / 1000
    return {
        "name": case.name, "subject": case.subject, "score": anomalies.volume_score,
        "p_value": anomalies.p_value if anomalies.calibration else None,
        "peak": float(inside.max()),
        "anomaly_ml": float((inside > value).sum()) * voxel if value is not None else None,
        "brain_ml": inside.numel() * voxel, "folder": str(case.folder),
        "unlike": ", ".join(strange_themes(anomalies.readings)) or None,
    }  # fmt: skip
