"""What scoring left in a folder: its cases, those that failed, and what made the maps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from slicenet.calibration import ENOUGH, Calibration
from slicenet.errors import NoInputError, Notice
from slicenet.files import read_json, read_text
from slicenet.images.options import ReadOptions
from slicenet.metrics.maps import MapFile, Maps, find_maps
from slicenet.output import HEATMAP, SIDECAR

PAGE = "_report.html"
GROUP = "group.html"


@final
@dataclass(frozen=True)
class Entry:
    """One scored case: where its map lies, and its sidecar."""

    file: MapFile
    sidecar: Mapping[str, Any]
    seconds: float | None  # it took, if the log says so

    @property
    def row(self) -> Mapping[str, Any]:
        """Its figures, as in scores.tsv."""
        return self.sidecar["row"]

    @property
    def page(self) -> Path:
        """Where its page goes."""
        stem = self.file.heatmap.name.removesuffix(HEATMAP)
        return self.file.heatmap.with_name(f"{stem}{PAGE}")

    @property
    def threshold(self) -> float | None:
        """The score above which the mask lies."""
        return self.sidecar.get("threshold", {}).get("value")


@final
@dataclass(frozen=True)
class Failure:
    """A case that has no map, and why."""

    name: str
    code: str
    message: str
    hint: str


@final
@dataclass(frozen=True)
class Scored:
    """A folder of `slicenet score`."""

    folder: Path
    run: Mapping[str, Any]  # run.json
    maps: Maps
    entries: tuple[Entry, ...]  # strangest first
    failures: tuple[Failure, ...]

    @property
    def model(self) -> Mapping[str, Any]:
        """What run.json says of the model."""
        return self.run["model"]

    @property
    def calibration(self) -> Calibration | None:
        """What healthy brains scored; none if the model or an older slicenet did not say."""
        table = self.model.get("calibration")
        return Calibration.from_table(table) if table else None

    @property
    def options(self) -> ReadOptions:
        """How the inputs were read."""
        told = self.run.get("options", {})
        volume = str(told.get("volume", ""))
        return ReadOptions(
            max_voxels=int(told.get("max_voxels", ReadOptions.max_voxels)),
            volume=int(volume) if volume.isdecimal() else None,
            assume_ras=told.get("assume_ras") == "True", resample_mask=True,
        )  # fmt: skip

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What has to be known before any of the maps is trusted."""
        found = []
        subjects = int(self.model.get("calibration_subjects", 0))
        if self.calibration is None:
            text = "no calibration is known: no rate and no p-value belongs to a score"
            found.append(Notice("W_UNCALIBRATED", text))
        elif subjects < ENOUGH:
            text = f"thresholds rest on {subjects} healthy subjects, fewer than {ENOUGH}"
            found.append(Notice("W_FEW", text))
        if self.model.get("synthetic"):
            text = "the model has learnt from phantoms only: its maps say nothing about patients"
            found.append(Notice("W_SYNTHETIC", text))
        return tuple(found)


def read_folder(folder: Path) -> Scored:
    """Look at everything in the folder but voxels."""
    log = _log(folder / "status.jsonl")
    run = read_json(folder / "run.json")
    maps = _maps(folder, run, log)
    if not maps.model:
        hint = "name the folder that `slicenet score` wrote"
        raise NoInputError(f"{folder}: no run.json, so no report", "E_NO_INPUT", hint)
    entries = []
    for file in maps.files:
        stem = file.heatmap.name.removesuffix(HEATMAP)
        sidecar = read_json(file.heatmap.with_name(f"{stem}{SIDECAR}"))
        seconds = log.get(file.name, {}).get("seconds")
        entries.append(Entry(file, sidecar, seconds))
    entries.sort(key=lambda entry: (-float(entry.row["score"]), entry.file.name))
    whole = {entry.file.name for entry in entries}
    return Scored(
        folder, run, maps, tuple(entries),
        (*_failed(log, whole), *_unfinished(maps, log)),
    )  # fmt: skip


def _maps(folder: Path, run: Mapping[str, Any], log: Mapping[str, Any]) -> Maps:
    """The maps; none where every case failed, which is worth a page too."""
    try:
        return find_maps(folder)
    except NoInputError:
        model = run.get("model", {})
        if not log or not model.get("sha256"):
            raise
        return Maps(folder, (), model["sha256"], model.get("thresholds", {}))


def _log(path: Path) -> dict[str, dict[str, Any]]:
    """The last line of each case; a line that was cut off by a crash is passed over."""
    found: dict[str, dict[str, Any]] = {}
    if not path.is_file():
        return found
    for text in read_text(path, "replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "case" in line:
            found[str(line["case"])] = line
    return found


def _failed(log: Mapping[str, Mapping[str, Any]], whole: set[str]) -> list[Failure]:
    return [
        Failure(name, *(str(line.get(key, "")) for key in ("code", "message", "hint")))
        for name, line in sorted(log.items())
        if line.get("code") != "OK" and name not in whole
    ]


def _unfinished(maps: Maps, log: Mapping[str, Any]) -> list[Failure]:
    """Maps that nobody can trust, of which the log says nothing worse."""
    told = {name for name, line in log.items() if line.get("code") != "OK"}
    return [
        Failure(name, error.code, error.message, error.hint)
        for name, error in maps.failures
        if name not in told
    ]
