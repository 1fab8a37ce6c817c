"""A folder of maps: what is whole in it, what belongs to another model, what happened to each."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from slicenet import files
from slicenet.checkpoint import Model, versions
from slicenet.cohort import Case
from slicenet.errors import ConfigError, SlicenetError
from slicenet.output.dataset import describe, links_of
from slicenet.output.maps import Origin, remove_maps, wanted, write_maps
from slicenet.output.names import MASK_PICTURE, OVERLAY, SIDECAR, ended, native, own
from slicenet.output.places import DESCRIPTION, uri
from slicenet.output.record import of_case, of_run, plain, sources
from slicenet.output.tsv import tsv
from slicenet.preparing.native import to_native
from slicenet.scoring import AnomalyMap

STATUS = "status.jsonl"
COLUMNS = (
    "name", "subject", "score", "p_value", "peak", "anomaly_ml", "brain_ml", "unlike", "folder",
)  # fmt: skip


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
        run = of_run(self.model, self.threshold, self.native, self.options)
        files.write_json(self.folder / "run.json", run)
        describe(self.folder, self.model, [case.images[0] for case in cases])
        files.cut_line(self.folder / STATUS)

    def finished(self, case: Case) -> bool:
        """Whether this model has already scored this very input with these settings."""
        stem = own(self.folder, case)
        sidecar = files.read_json(ended(stem, SIDECAR))
        pictures = (OVERLAY, *([MASK_PICTURE] if self.threshold else []))
        whole = [
            *wanted(stem, self.threshold),
            *(wanted(native(self.folder, case), self.threshold) if self.native else []),
            *(ended(stem, each) for each in pictures if case.flat),
        ]
        return (
            self._is_ours(sidecar)
            and [s.get("sha256") for s in sidecar.get("sources", [])]
            == [source["sha256"] for source in sources(case, self.folder)]
            and all(path.is_file() for path in whole)
        )

    def forget(self, case: Case) -> None:
        """From now on the case is not whole, whatever becomes of it."""
        files.remove(ended(own(self.folder, case), SIDECAR))

    def write(self, case: Case, anomalies: AnomalyMap) -> dict[str, Any]:
        """Write the files of one case, the sidecar last: where it stands, the case is whole."""
        stem = own(self.folder, case)
        self.forget(case)
        origin = self._origin(case)
        write_maps(stem, anomalies, self.threshold, origin)
        if anomalies.volume.flat:
            pictures = (ended(stem, OVERLAY), ended(stem, MASK_PICTURE))
            anomalies.write_pictures(*pictures, self.threshold)
        scan = native(self.folder, case)
        if self.native:
            moved = to_native(anomalies, case.images[0])
            write_maps(scan, moved, self.threshold, replace(origin, space="orig"))
        else:
            remove_maps(scan)
        content = {
            **origin.table("anomaly map; higher is stranger; 0 outside the brain", anomalies),
            **of_case(case, anomalies, self.threshold, self.folder),
            "backend": self.model.name,
            "model_sha256": self.model.digest,
            "options": plain(self.options),
            "settings_sha256": self.settings_digest,
            "versions": versions(),
        }
        files.write_json(ended(stem, SIDECAR), content)
        return content

    def note(self, case: Case, code: str, seconds: float, error: SlicenetError | None) -> None:
        """Add a line to the log of cases."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S"), "case": case.name, "code": code,
            "path": str(case.images[0]), "seconds": round(seconds, 3),
            "message": error.message if error else "", "hint": error.hint if error else "",
        }  # fmt: skip
        files.append_line(self.folder / STATUS, json.dumps(line))

    def finish(self) -> list[dict[str, Any]]:
        """Write scores.tsv over all whole cases of this model, strangest first; return its rows."""
        rows = [
            sidecar["row"] | {"domain": sidecar.get("domain", [])}
            for _, sidecar in self._sidecars() if self._is_ours(sidecar)
        ]  # fmt: skip
        rows.sort(key=lambda row: (-row["score"], row["name"]))
        files.write_text(self.folder / "scores.tsv", tsv(COLUMNS, rows))
        return rows

    def _origin(self, case: Case) -> Origin:
        links = links_of(files.read_json(self.folder / DESCRIPTION))
        names = [uri(path, self.folder, links) for path in case.files]
        return Origin(tuple(names), uri(case.images[0], self.folder, links), self.folder)

    def _is_ours(self, sidecar: Mapping[str, Any]) -> bool:
        made = sidecar.get("model_sha256"), sidecar.get("settings_sha256")
        return made == (self.model.digest, self.settings_digest)

    def _stem(self, sidecar: Path) -> str:
        return str(sidecar.relative_to(self.folder))[: -len(SIDECAR)]

    def _sidecars(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in sorted(self.folder.rglob(f"*{SIDECAR}")):
            yield path, files.read_json(path)
