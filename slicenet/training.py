"""From a cohort of healthy volumes to a calibrated model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch

from slicenet.backends.base import Backend
from slicenet.cache import Cache
from slicenet.calibration import ENOUGH
from slicenet.checkpoint import Model, Origin
from slicenet.cohort import Cohort
from slicenet.errors import ConfigError, NoInputError, Notice, SlicenetError, VolumeError
from slicenet.files import digest
from slicenet.watch import Watch, silent

LEAST_HELD_OUT = 4  # subjects
LEAST_FITTED = 2


@dataclass(frozen=True)
class TrainSettings:
    """What decides a training besides its backend."""

    seed: int = 0
    holdout: float = 0.2  # share of the subjects that calibrate and are never fitted; 0 for none

    def __post_init__(self) -> None:
        if not 0 <= self.holdout < 1:
            raise ConfigError("holdout: expected a share from 0 to below 1", "E_SETTING")


@final
@dataclass(frozen=True)
class Usable:
    """What of a cohort can be learnt from, and why the rest cannot."""

    cohort: Cohort
    digests: tuple[str, ...]  # of each volume, in the cohort's order
    failures: tuple[tuple[str, SlicenetError], ...] = ()
    notices: tuple[Notice, ...] = field(default=())


def inspect(cohort: Cohort, watch: Watch = silent, lesions: bool = False) -> Usable:
    """Read every volume once; leave out what is broken, there twice, or lesioned unless wanted."""
    kept: list[int] = []
    digests: list[str] = []
    failures: list[tuple[str, SlicenetError]] = []
    notices: list[Notice] = list(cohort.notices)
    for index, case in enumerate(cohort.cases):
        try:
            volume = cohort[index]
            truth = case.read_truth(volume, cohort.options)
            if truth is not None and truth.any() and not lesions:
                raise VolumeError(
                    f"{case.name}: its truth mask marks a lesion", "E_LESION",
                    "training takes healthy volumes only",
                )  # fmt: skip
        except SlicenetError as error:
            failures.append((case.name, error))
        else:
            notices += volume.notices
            if volume.digest in digests:
                twin = cohort.cases[kept[digests.index(volume.digest)]].name
                message = f"{case.name}: the same file as {twin}, left out"
                notices.append(Notice("W_DUPLICATE", message))
            else:
                kept.append(index)
                digests.append(volume.digest)
        watch("read", index + 1, len(cohort))
    return Usable(cohort.select(kept), tuple(digests), tuple(failures), tuple(notices))


def split(
    subjects: Sequence[str], settings: TrainSettings
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices to fit and indices to calibrate; all scans of a subject fall on one side."""
    known = sorted(set(subjects))
    held = 0
    if settings.holdout:
        held = max(LEAST_HELD_OUT, round(settings.holdout * len(known)))
    if len(known) - held < LEAST_FITTED:
        raise NoInputError(
            f"{len(known)} healthy subjects: {held} to calibrate leaves too few to fit",
            "E_TOO_FEW",
            f"bring at least {LEAST_HELD_OUT + LEAST_FITTED}, or --set train.holdout=0 for a model "
            "without thresholds",
        )
    order = np.random.default_rng(settings.seed).permutation(len(known))
    chosen = {known[index] for index in order[:held]}
    fitted = tuple(i for i, subject in enumerate(subjects) if subject not in chosen)
    return fitted, tuple(i for i, subject in enumerate(subjects) if subject in chosen)


def train(
    name: str,
    backend: Backend,
    usable: Usable,
    settings: TrainSettings,
    watch: Watch = silent,
    cache: Cache | None = None,
    device: str = "cpu",
) -> Model:
    """Fit and calibrate one backend on the volumes of `usable`."""
    cohort = usable.cohort
    fitted, held = split([case.subject or case.name for case in cohort.cases], settings)
    # Weights drawn at build time and noise drawn in training both follow from the seed.
    torch.manual_seed(settings.seed)
    detector = backend.build().on(device)
    detector.fit(cohort.select(fitted), watch, cache)
    if held:
        detector.calibrate(cohort.select(held), watch)
    origin = Origin(
        tuple(usable.digests[index] for index in fitted),
        tuple(usable.digests[index] for index in held),
        tuple(digest(path) for case in cohort.cases for path in case.images),
        settings.seed,
        cohort.synthetic,
    )
    return Model(detector, name, backend, origin)


def remarks(model: Model) -> tuple[Notice, ...]:
    """What a user of `model` has to know before trusting its thresholds."""
    found = list(model.detector.extractor.notices)
    calibration = model.detector.calibration
    if calibration is None:
        found.append(Notice("W_UNCALIBRATED", "the model has no calibration, so no mask is made"))
    elif calibration.subjects < ENOUGH:
        message = f"thresholds rest on {calibration.subjects} healthy subjects, fewer than {ENOUGH}"
        found.append(Notice("W_FEW", message))
    if model.origin.synthetic:
        message = "the model has learnt from phantoms only: its maps say nothing about patients"
        found.append(Notice("W_SYNTHETIC", message))
    return tuple(found)
