"""A phantom data set in BIDS, which every other command takes as it is."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, final

from slicenet import __version__
from slicenet.errors import ConfigError, NoInputError, Notice, ResourceError, SlicenetError
from slicenet.files import read_bytes, write_json
from slicenet.locking import NAME as LOCK
from slicenet.locking import locked
from slicenet.phantom.base import choose_sources
from slicenet.phantom.describing import describe, write_participants
from slicenet.phantom.settings import PhantomSettings
from slicenet.phantom.subject import Subject, write_subject
from slicenet.pool import work_through
from slicenet.watch import Watch, silent

RECORD = "phantom.json"
IMAGES = (".nii", ".nii.gz")
STAGE = "phantoms"


@final
@dataclass(frozen=True)
class Written:
    """What a data set holds."""

    rows: tuple[dict[str, Any], ...]  # of participants.tsv
    skipped: int  # subjects that were there already
    notices: tuple[Notice, ...]


def write_phantoms(
    out: Path,
    healthy: int,
    lesioned: int,
    seed: int,
    settings: PhantomSettings = PhantomSettings(),
    watch: Watch = silent,
    *,
    base: Path | None = None,
    shapes: Path | None = None,
    workers: int = 1,
) -> Written:
    """Write a data set to `out`; subjects that are there from an equal call are kept.

    With `base` the subjects are real scans, else phantoms; with `shapes`, a folder of lesion masks
    in MNI space, these give shapes and places. More than one worker means processes.
    """
    if healthy < 0 or lesioned < 0 or healthy + lesioned == 0:
        raise ConfigError(f"asked for {healthy} healthy and {lesioned} lesioned", "E_COUNT")
    first = Subject(out, 0, False, seed, settings, _find_masks(shapes) if shapes else ())
    if base:
        subjects = _from_base(first, base, healthy, lesioned)
    else:
        count = healthy + lesioned
        subjects = [replace(first, index=i, lesioned=i >= healthy) for i in range(count)]
    _check_folder(out, _record(subjects))
    with locked(out):
        write_json(out / RECORD, _record(subjects))
        real = any(subject.case and not subject.case.synthetic for subject in subjects)
        describe(out, settings, real)
        notices, skipped = _write(subjects, workers, watch)
        rows = tuple(subject.row for subject in subjects)
        write_participants(out, rows)
    return Written(rows, skipped, notices)


def _from_base(first: Subject, base: Path, healthy: int, lesioned: int) -> list[Subject]:
    _keep_apart(first.out, base)
    contrasts = first.settings.contrasts
    whole, hurt = choose_sources(base, contrasts, healthy, lesioned, first.seed)
    subjects = [
        replace(first, index=source.index, lesioned=has_lesions, case=source.case)
        for sources, has_lesions in ((whole, False), (hurt, True))
        for source in sources
    ]
    return sorted(subjects, key=lambda subject: subject.index)


def _write(
    subjects: Sequence[Subject], workers: int, watch: Watch
) -> tuple[tuple[Notice, ...], int]:
    """Write what is missing; the distinct notices, and how many were there."""
    missing = [subject for subject in subjects if not subject.complete]
    skipped = len(subjects) - len(missing)
    watch(STAGE, skipped, len(subjects))
    on_template = any(one.case is None and one.settings.template != "procedural" for one in missing)

    def lost(subject: Subject, error: SlicenetError) -> NoReturn:
        hint = "fewer --workers" if min(workers, len(missing)) > 1 else ""
        raise ResourceError(f"{subject.label}: {error.message}", error.code, hint) from error

    found = work_through(
        missing,
        write_subject,
        workers,
        lambda done: watch(STAGE, skipped + done, len(subjects)),
        lost,
        imports=("nilearn.datasets",) if on_template else (),
    )
    return tuple(dict.fromkeys(notice for notices in found for notice in notices)), skipped


def _record(subjects: Sequence[Subject]) -> dict[str, Any]:
    """All that the files depend on; names of files, but no paths of this machine."""
    first = subjects[0]
    record = {
        "version": __version__,
        "seed": first.seed,
        **asdict(first.settings),
        "healthy": [one.index for one in subjects if not one.lesioned],
        "lesioned": [one.index for one in subjects if one.lesioned],
        "base": [one.case.name for one in subjects if one.case],
        "shapes": [mask.name for mask in first.shapes],
    }
    return json.loads(json.dumps(record))  # as it comes back from the file: lists, not tuples


def _check_folder(out: Path, record: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but a phantom data set of this very call."""
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise ConfigError(f"{out}: not a folder", "E_OUTPUT")
    names = set(os.listdir(out)) - {LOCK}
    if not names:
        return
    hint = "choose another folder"
    if RECORD not in names:
        raise ConfigError(f"{out}: not empty, and no phantom data set", "E_OUTPUT", hint)
    try:
        old = json.loads(read_bytes(out / RECORD))
    except ValueError as error:
        raise ConfigError(f"{out / RECORD}: damaged", "E_OUTPUT", hint) from error
    differ = [key for key in record if not isinstance(old, dict) or old.get(key) != record[key]]
    if differ:
        message = f"{out}: holds phantoms made otherwise: {', '.join(differ)} differ"
        raise ConfigError(message, "E_OUTPUT", hint)


def _keep_apart(out: Path, base: Path) -> None:
    here, there = out.resolve(), base.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ConfigError(f"{out}: must lie apart from its base {base}", "E_OUTPUT")


def _find_masks(folder: Path) -> tuple[Path, ...]:
    masks = sorted(path for path in folder.rglob("*") if path.name.endswith(IMAGES))
    if not masks:
        raise NoInputError(f"{folder}: no lesion masks (.nii.gz, .nii)", "E_SHAPES")
    return tuple(masks)
