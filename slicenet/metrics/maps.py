"""Folders of anomaly maps: what `slicenet score` leaves, or plain files of any other tool."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from slicenet.cohort import find_cohort
from slicenet.cohort.roles import TEST
from slicenet.errors import ConfigError, NoInputError, Notice, SlicenetError, VolumeError
from slicenet.files import read_json

# As `slicenet score` names the files of a case.
HEATMAP = "_desc-anomaly_heatmap.nii.gz"
SIDECAR = "_desc-anomaly_heatmap.json"
BRAIN = "_desc-brain_mask.nii.gz"
RUN = "run.json"
SHOWN = 5  # names in a message


@final
@dataclass(frozen=True)
class MapFile:
    """One anomaly map and what is known of it without reading it."""

    name: str
    subject: str
    heatmap: Path
    brain: Path | None = None  # none: the voxels that are not 0
    volume_score: float | None = None  # none: the mean of the map's strangest share
    digests: frozenset[str] = frozenset()  # SHA-256 of the files that it was made from


@final
@dataclass(frozen=True)
class Maps:
    """The maps of one folder and the model that made them."""

    folder: Path
    files: tuple[MapFile, ...]
    model: str = ""  # SHA-256; "" for plain files
    thresholds: Mapping[str, float] = field(default_factory=dict)
    learnt_from: frozenset[str] = frozenset()  # SHA-256 of all volumes the model was made with
    failures: tuple[tuple[str, SlicenetError], ...] = ()
    notices: tuple[Notice, ...] = ()

    def tested(self, roles: Mapping[str, str]) -> "Maps":
        """Only the maps of subjects to be tested; a split has to know all of them."""
        lost = [file.subject for file in self.files if file.subject not in roles]
        if lost:
            text = f"{self.folder}: the split does not know {lost[0]}"
            raise ConfigError(text, "E_SPLIT", f"{len(lost)} maps are of such subjects")
        kept = tuple(file for file in self.files if roles[file.subject] == TEST)
        if not kept:
            raise NoInputError(f"{self.folder}: the split tests none of these", "E_NO_INPUT")
        return replace(self, files=kept)

    def refuse_leaks(self) -> None:
        """Refuse maps of volumes that the model was fitted on or calibrated with."""
        leaked = [file.name for file in self.files if file.digests & self.learnt_from]
        if leaked:
            more = f" and {len(leaked) - SHOWN} more" if len(leaked) > SHOWN else ""
            raise ConfigError(
                f"{self.folder}: the model was made with {', '.join(leaked[:SHOWN])}{more}",
                "E_LEAK", "judge it on other subjects",
            )  # fmt: skip


def find_maps(folder: Path) -> Maps:
    """The maps below `folder`, by name; voxels are not read."""
    if not folder.is_dir():
        raise NoInputError(f"{folder}: no such folder", "E_NOT_FOUND")
    if (folder / RUN).is_file():
        return _scored(folder)
    if next(folder.rglob(f"*{SIDECAR}"), None):
        hint = "name the folder that `slicenet score` wrote"
        raise NoInputError(f"{folder}: maps of slicenet, but no {RUN}", "E_NO_INPUT", hint)
    return _plain(folder)


def _scored(folder: Path) -> Maps:
    model = read_json(folder / RUN).get("model", {})
    if not isinstance(model, dict) or not model.get("sha256"):
        raise ConfigError(f"{folder / RUN}: names no model", "E_RUN", "score again")
    files, failures = [], []
    for heatmap in sorted(folder.rglob(f"*{HEATMAP}")):
        stem = heatmap.name.removesuffix(HEATMAP)
        try:
            files.append(_scored_file(heatmap, stem, model["sha256"]))
        except SlicenetError as error:
            failures.append((stem, error.alone()))
    if not files and not failures:
        raise NoInputError(f"{folder}: no maps", "E_NO_INPUT", "did scoring finish?")
    sources = [*model.get("calibration_sources", []), *model.get("training_sources", [])]
    thresholds = dict(model.get("thresholds", {}))
    ordered = tuple(sorted(files, key=lambda file: file.name))
    return Maps(folder, ordered, model["sha256"], thresholds, frozenset(sources), tuple(failures))


def _scored_file(heatmap: Path, stem: str, model: str) -> MapFile:
    sidecar = read_json(heatmap.with_name(stem + SIDECAR))
    row = sidecar.get("row")
    if not isinstance(row, dict) or not {"name", "score"} <= row.keys():
        # The sidecar is written last: without it, nobody knows whether the map is whole.
        raise VolumeError(f"{heatmap}: no sidecar beside it", "E_UNFINISHED", "score it again")
    if sidecar.get("model_sha256") != model:
        raise VolumeError(f"{heatmap}: of another model than {RUN}", "E_STALE", "score it again")
    digests = {source.get("sha256") for source in sidecar.get("sources", [])}
    digests.add(sidecar.get("volume_sha256"))
    return MapFile(
        name=str(row["name"]),
        subject=str(row.get("subject") or row["name"]),
        heatmap=heatmap,
        brain=heatmap.with_name(stem + BRAIN),
        volume_score=float(row["score"]),
        digests=frozenset(str(digest) for digest in digests if digest),
    )


def _plain(folder: Path) -> Maps:
    cohort = find_cohort([folder])
    files = [
        MapFile(case.name, case.subject or case.name, case.images[0], case.mask)
        for case in cohort.cases
    ]
    bare = [file.name for file in files if file.brain is None]
    notices = [
        Notice("W_PLAIN_MAPS", f"{folder}: no {RUN}, so no thresholds; volume scores are the mean "
               "of the strangest 1 % of each brain"),
    ]  # fmt: skip
    if bare:
        text = f"{len(bare)} maps have no brain mask: voxels that are not 0 count as brain"
        notices.append(Notice("W_BRAIN_GUESSED", f"{folder}: {text}"))
    return Maps(folder, tuple(files), notices=(*notices, *cohort.notices))
