"""Several backends on one split: the same subjects fit, calibrate and test all of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.cache import Cache
from slicenet.checkpoint import Model
from slicenet.cohort import Cohort
from slicenet.detector import Detector
from slicenet.errors import NoInputError
from slicenet.inspection import Usable
from slicenet.metrics import Evaluation, ScoredCase, evaluate
from slicenet.recipe import Recipe
from slicenet.training import refuse_known, train
from slicenet.watch import Watch, silent

LEAST_TESTED = 2  # healthy subjects, so that volume scores have something to be compared with


@final
@dataclass(frozen=True)
class Split:
    """Who is learnt from and who is tested; pathology is only ever tested."""

    healthy: Cohort
    tested: Cohort


@final
@dataclass(frozen=True, eq=False)
class Result:
    """What one backend came to."""

    model: Model
    evaluation: Evaluation
    train_seconds: float
    score_seconds: float  # median of a volume, reading included


def divide(cohort: Cohort, share: float, seed: int) -> Split:
    """Hold out a share of the healthy subjects, chosen by seed, beside all that are not healthy.

    A subject with any scan that is not healthy is only tested.
    """
    subjects = [case.subject or case.name for case in cohort.cases]
    ill = {s for s, case in zip(subjects, cohort.cases, strict=True) if not case.is_healthy}
    healthy = [index for index, subject in enumerate(subjects) if subject not in ill]
    if not ill:
        raise NoInputError(
            "only healthy cases: nothing to tell apart", "E_NO_INPUT",
            "give a cohort whose table has groups healthy and others, with truth masks",
        )  # fmt: skip
    known = sorted({subjects[index] for index in healthy})
    held = max(LEAST_TESTED, round(share * len(known)))
    order = np.random.default_rng(seed).permutation(len(known))
    chosen = {known[index] for index in order[:held]}
    learnt = [index for index in healthy if subjects[index] not in chosen]
    tested = [index for index in range(len(subjects)) if index not in set(learnt)]
    return Split(cohort.select(learnt), cohort.select(tested))


def run(
    recipe: Recipe, usable: Usable, tested: Cohort, watch: Watch = silent,
    cache: Cache | None = None, device: str = "cpu",
) -> Result:  # fmt: skip
    """Train one backend and test it."""
    refuse_known(recipe.backend.build(), tested)
    began = time.perf_counter()
    model = train(recipe.name, recipe.backend, usable, recipe.train, watch, cache, device)
    trained = time.perf_counter()
    calibration = model.detector.calibration
    seconds: list[float] = []
    cases = _scored(model.detector, tested, seconds, watch)
    evaluation = evaluate(cases, calibration.thresholds() if calibration else {})
    return Result(model, evaluation, trained - began, float(np.median(seconds)))


def _scored(
    detector: Detector, cohort: Cohort, seconds: list[float], watch: Watch
) -> Iterator[ScoredCase]:
    """Every case with its map; `seconds` gets the time that reading and scoring each one took."""
    for done, case in enumerate(cohort.cases, start=1):
        began = time.perf_counter()
        volume = cohort[done - 1]
        anomalies = detector.score(volume)
        seconds.append(time.perf_counter() - began)
        x, y, z = volume.spacing.tolist()
        truth = case.read_truth(volume, cohort.options)
        yield ScoredCase(
            case.name, anomalies.scores.numpy(), volume.brain.numpy(), truth, (x, y, z),
            anomalies.volume_score, case.subject,
        )  # fmt: skip
        watch("test", done, len(cohort))
