"""The folder that scoring leaves: whole cases, each with what made it, never two models mixed."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import slicenet
from slicenet import files
from slicenet.checkpoint import Model, settings_table, versions
from slicenet.cohort import Case
from slicenet.cohort.naming import parse_stem
from slicenet.domain import strange_themes
from slicenet.errors import ConfigError, SlicenetError
from slicenet.images.write import write_mask
from slicenet.preparing.native import to_native
from slicenet.scoring import AnomalyMap

HEATMAP = "_desc-anomaly_heatmap.nii.gz"
SIDECAR = "_desc-anomaly_heatmap.json"
MASK = "_label-anomaly_mask.nii.gz"
BRAIN = "_desc-brain_mask.nii.gz"
# Of pictures only, for people and for tools that know no NIfTI.
OVERLAY = "_desc-anomaly_heatmap.png"
MASK_PICTURE = "_label-anomaly_mask.png"
COLUMNS = (
    "name", "subject", "score", "p_value", "peak", "anomaly_ml", "brain_ml", "unlike", "folder",
)  # fmt: skip
README = """Anomaly maps made by slicenet. Research use, not a medical device.

*_desc-anomaly_heatmap.nii.gz  the final map, float32, on the grid of the input; higher is stranger.
                               It is 0 outside the brain: read it through the brain mask.
*_label-anomaly_mask.nii.gz    where the map lies above the threshold named in the .json beside it
*_desc-brain_mask.nii.gz       the brain that was looked at
*_space-orig_*                 the same on the grid of the scan that the input was prepared from
*.png                          of a picture: the map on it, and the mask, at its own size
scores.tsv                     one number a volume: the mean of its strangest share
run.json                       model, thresholds and settings;  status.jsonl  what happened to each
"""
MEANING = {
    "name": "case, as in the input",
    "subject": "subject of the case",
    "score": "mean of the strangest share of the brain; higher is stranger",
    "p_value": "share of healthy calibration volumes at least as strange, this one counted in",
    "peak": "highest value of the map inside the brain",
    "anomaly_ml": "volume above the threshold, millilitres",
    "brain_ml": "volume looked at, millilitres",
    "folder": "where the case's files lie",
    "unlike": "in what the input is unlike the healthy brains of the model, if it is",
}


@final
@dataclass(frozen=True)
class Output:
    """A folder of maps of one model at one threshold."""

    folder: Path
    model: Model
    threshold: str | None  # none if the model cannot say what one means
    options: Mapping[str, Any]  # how inputs were read, where it changes voxels
    native: bool = False  # maps also on the grids of the scans that inputs were prepared from

    @property
    def settings_digest(self) -> str:
        """SHA-256 of everything but input and model that decides a case's files."""
        text = json.dumps([self.threshold, dict(self.options)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def start(self, cases: Sequence[Case]) -> None:
        """Refuse to mix models, then say what this folder is."""
        names = {str(case.folder / case.prefix) for case in cases}
        foreign = [
            path for path, sidecar in self._sidecars()
            if not self._is_ours(sidecar) and self._stem(path) not in names
        ]  # fmt: skip
        if foreign:
            raise ConfigError(
                f"{self.folder}: has maps of another model or threshold, as {foreign[0].name}",
                "E_STALE", "choose another folder, or remove them",
            )  # fmt: skip
        files.write_json(self.folder / "run.json", self._run())
        files.write_json(self.folder / "dataset_description.json", _description())
        files.write_text(self.folder / "README", README)
        files.write_text(
            self.folder / ".bidsignore", "*_heatmap.*\n*.html\nrun.json\n*.jsonl\n*.lock\n"
        )
        files.write_json(self.folder / "scores.json", MEANING)

    def finished(self, case: Case) -> bool:
        """Whether this model has already scored this very input with these settings."""
        sidecar = files.read_json(self._path(case, SIDECAR))
        endings = (HEATMAP, BRAIN, *([MASK] if self.threshold else []))
        wanted = [self._path(case, ending) for ending in endings]
        wanted += [self._native(case, ending) for ending in endings if self.native]
        pictures = (OVERLAY, *([MASK_PICTURE] if self.threshold else []))
        wanted += [self._path(case, ending) for ending in pictures if case.flat]
        return (
            self._is_ours(sidecar)
            and [s.get("sha256") for s in sidecar.get("sources", [])]
            == [source["sha256"] for source in _sources(case)]
            and all(path.is_file() for path in wanted)
        )

    def forget(self, case: Case) -> None:
        """From now on the case is not whole, whatever becomes of it."""
        self._path(case, SIDECAR).unlink(missing_ok=True)

    def write(self, case: Case, anomalies: AnomalyMap) -> dict[str, Any]:
        """Write the files of one case, the sidecar last: where it stands, the case is whole."""
        sidecar = self._path(case, SIDECAR)
        self.forget(case)
        anomalies.write(self._path(case, HEATMAP))
        write_mask(self._path(case, BRAIN), anomalies.brain.numpy(), anomalies.volume.grid)
        if self.threshold:
            anomalies.write_mask(self._path(case, MASK), self.threshold)
        else:
            self._path(case, MASK).unlink(missing_ok=True)
        if anomalies.volume.flat:
            pictures = (self._path(case, OVERLAY), self._path(case, MASK_PICTURE))
            anomalies.write_pictures(*pictures, self.threshold)
        if self.native:
            self._write_native(case, to_native(anomalies, case.images[0]))
        content = self._sidecar(case, anomalies)
        files.write_json(sidecar, content)
        return content

    def note(self, case: Case, code: str, seconds: float, error: SlicenetError | None) -> None:
        """Add a line to status.jsonl."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S"), "case": case.name, "code": code,
            "path": str(case.images[0]), "seconds": round(seconds, 3),
            "message": error.message if error else "", "hint": error.hint if error else "",
        }  # fmt: skip
        with (self.folder / "status.jsonl").open(
            "a", encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.write(json.dumps(line) + "\n")

    def finish(self) -> list[dict[str, Any]]:
        """Write scores.tsv over all whole cases of this model, strangest first; return its rows."""
        rows = [
            sidecar["row"] | {"domain": sidecar.get("domain", [])}
            for _, sidecar in self._sidecars() if self._is_ours(sidecar)
        ]  # fmt: skip
        rows.sort(key=lambda row: (-row["score"], row["name"]))
        lines = ["\t".join(COLUMNS)]
        lines += ["\t".join(_cell(row.get(column)) for column in COLUMNS) for row in rows]
        files.write_text(self.folder / "scores.tsv", "\n".join(lines) + "\n")
        return rows

    def _write_native(self, case: Case, anomalies: AnomalyMap) -> None:
        write_mask(self._native(case, BRAIN), anomalies.brain.numpy(), anomalies.volume.grid)
        if self.threshold:
            anomalies.write_mask(self._native(case, MASK), self.threshold)
        else:
            self._native(case, MASK).unlink(missing_ok=True)
        anomalies.write(self._native(case, HEATMAP))

    def _native(self, case: Case, ending: str) -> Path:
        """BIDS calls the space of each scan itself `orig`."""
        named = parse_stem(case.prefix)
        pairs = [f"{key}-{label}" for key, label in named.without("space", "res")]
        stem = "_".join([*pairs, "space-orig"]) if pairs else f"{case.prefix}_space-orig"
        return self.folder / case.folder / f"{stem}{ending}"

    def _run(self) -> dict[str, Any]:
        calibration, domain = self.model.detector.calibration, self.model.detector.domain
        return {
            "format": 1,
            "model": {
                "backend": self.model.name,
                "sha256": self.model.digest,
                "licence": self.model.origin.licence,
                "settings": settings_table(self.model.backend),
                "calibration_sources": list(self.model.origin.calibrated),
                "training_sources": [*self.model.origin.fitted, *self.model.origin.files],
                "thresholds": calibration.thresholds() if calibration else {},
                "calibration_subjects": calibration.subjects if calibration else 0,
                "domain_subjects": domain.subjects,
                "domain": [asdict(usual) for usual in domain.usual()],
            },
            "threshold": self.threshold,
            "native": self.native,
            "options": {key: str(value) for key, value in self.options.items()},
            "versions": versions(),
        }

    def _sidecar(self, case: Case, anomalies: AnomalyMap) -> dict[str, Any]:
        inside = anomalies.scores[anomalies.brain]
        voxel = float(abs(anomalies.volume.spacing.prod())) / 1000
        value = anomalies.value(self.threshold) if self.threshold else None
        p_value = anomalies.p_value if anomalies.calibration else None
        above = float((inside > value).sum()) * voxel if value is not None else None
        row = {
            "name": case.name, "subject": case.subject, "score": anomalies.volume_score,
            "p_value": p_value, "peak": float(inside.max()), "anomaly_ml": above,
            "brain_ml": inside.numel() * voxel, "folder": str(case.folder),
            "unlike": ", ".join(strange_themes(anomalies.readings)) or None,
        }  # fmt: skip
        return {
            "description": "anomaly map; higher is stranger; 0 outside the brain",
            "sources": _sources(case),
            "volume_sha256": anomalies.volume.digest,
            "model_sha256": self.model.digest,
            "settings_sha256": self.settings_digest,
            "threshold": {"asked": self.threshold, "value": value},
            "units": "arbitrary, comparable between volumes of one model",
            "range": [float(inside.min()), float(inside.max())],
            "row": row,
            "domain": [reading.to_table() for reading in anomalies.readings],
            "warnings": [asdict(notice) for notice in anomalies.volume.notices],
        }

    def _is_ours(self, sidecar: Mapping[str, Any]) -> bool:
        made = sidecar.get("model_sha256"), sidecar.get("settings_sha256")
        return made == (self.model.digest, self.settings_digest)

    def _path(self, case: Case, ending: str) -> Path:
        return self.folder / case.folder / f"{case.prefix}{ending}"

    def _stem(self, sidecar: Path) -> str:
        return str(sidecar.relative_to(self.folder))[: -len(SIDECAR)]

    def _sidecars(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in sorted(self.folder.rglob(f"*{SIDECAR}")):
            yield path, files.read_json(path)


def _sources(case: Case) -> list[dict[str, str]]:
    return [{"file": path.name, "sha256": files.digest(path)} for path in case.files]


def _description() -> dict[str, Any]:
    return {
        "Name": "slicenet anomaly maps",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "slicenet", "Version": slicenet.__version__}],
    }


def _cell(value: object) -> str:
    if value is None:
        return "n/a"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ")
