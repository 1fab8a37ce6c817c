"""From a cohort of healthy volumes to a calibrated model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from slicenet.backends.base import Backend
from slicenet.cache import Cache
from slicenet.calibration import ENOUGH
from slicenet.checkpoint import Model, Origin, rounded
from slicenet.cohort import Case, Cohort
from slicenet.cohort.roles import CALIBRATE, FIT
from slicenet.detector import Detector
from slicenet.errors import ConfigError, NoInputError, Notice
from slicenet.files import digest
from slicenet.inspection import Usable
from slicenet.watch import Watch, silent

LEAST_HELD_OUT = 4  # subjects
LEAST_FITTED = 2


@dataclass(frozen=True)
class TrainSettings:
    """What decides a training besides its backend."""

    seed: int = 0
    holdout: float = 0.2  # share of the subjects that calibrate and are never fitted; 0 for none
    half: bool = False  # a file of half the size; what it rounds off is calibrated with
    licence: str = ""  # that the model carries, where its data ask for one

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise ConfigError("seed: expected a whole number from 0", "E_SETTING")
        if not 0 <= self.holdout < 1:
            raise ConfigError("holdout: expected a share from 0 to below 1", "E_SETTING")


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


def parts(
    cases: Sequence[Case], settings: TrainSettings
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices to fit and indices to calibrate, by the roles of a split where it has given them."""
    roles = [case.role for case in cases]
    if not {FIT, CALIBRATE}.intersection(roles):
        return split([case.subject or case.name for case in cases], settings)
    fitted = tuple(index for index, role in enumerate(roles) if role == FIT)
    if len({cases[index].subject for index in fitted}) < LEAST_FITTED:
        text = f"the split has too few healthy subjects to fit: {len(fitted)} volumes"
        raise NoInputError(text, "E_TOO_FEW", f"bring at least {LEAST_FITTED} subjects")
    return fitted, tuple(index for index, role in enumerate(roles) if role == CALIBRATE)


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
    fitted, held = parts(cohort.cases, settings)
    # Weights drawn at build time and noise drawn in training both follow from the seed.
    torch.manual_seed(settings.seed)
    detector = backend.build().on(device)
    taught = refuse_known(detector, cohort.select(held))
    detector.fit(cohort.select(fitted), watch, cache)
    if settings.half:
        rounded(detector)
    if held:
        detector.calibrate(cohort.select(held), watch)
    origin = Origin(
        tuple(usable.digests[index] for index in fitted),
        tuple(usable.digests[index] for index in held),
        (*usable.files, *taught),
        settings.seed,
        cohort.synthetic,
        settings.licence,
    )
    return Model(detector, name, backend, origin, half=settings.half)


def refuse_known(detector: Detector, unseen: Cohort) -> tuple[str, ...]:
    """Refuse to judge by scans that taught the weights a detector brings; the files of these."""
    taught = detector.extractor.learnt_from()
    known = [
        case.name
        for case in (unseen.cases if taught else ())
        if any(digest(path) in taught for path in case.images)
    ]
    if known:
        raise ConfigError(
            f"{known[0]} and {len(known) - 1} more: the weights were fine-tuned on them", "E_LEAK",
            "fine-tune with the same --seed and holdout, which leave the same subjects out",
        )  # fmt: skip
    return taught


def remarks(model: Model) -> tuple[Notice, ...]:
    """What a user of `model` has to know before trusting its thresholds."""
    found = list(model.detector.extractor.notices)
    calibration = model.detector.calibration
    if calibration is None:
        found.append(Notice("W_UNCALIBRATED", "the model has no calibration, so no mask is made"))
    elif calibration.subjects < ENOUGH:
        message = (
            f"thresholds rest on {calibration.subjects} healthy subjects, fewer than {ENOUGH}: "
            "their intervals are too narrow"
        )
        found.append(Notice("W_FEW", message))
    if model.origin.synthetic:
        message = "the model has learnt from phantoms only: its maps say nothing about patients"
        found.append(Notice("W_SYNTHETIC", message))
    return tuple(found)
