"""One backend, trained and tested."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.cache import Cache
from slicenet.checkpoint import Model
from slicenet.cohort import Case, Cohort
from slicenet.detector import Detector
from slicenet.images.options import ReadOptions
from slicenet.inspection import Usable
from slicenet.metrics import Evaluation, ScoredCase, evaluate
from slicenet.recipe import Recipe
from slicenet.scoring import AnomalyMap
from slicenet.training import refuse_known, train
from slicenet.volume import Volume
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True, eq=False)
class Result:
    """What one backend came to."""

    model: Model
    evaluation: Evaluation
    train_seconds: float  # calibration included, and what the cache has spared
    cached_seconds: float  # those of them that an earlier run had spent
    score_seconds: float  # median of a volume, reading included


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
    saved = model.detector.saved
    return Result(model, evaluation, trained - began + saved, saved, float(np.median(seconds)))


def with_truth(
    case: Case, volume: Volume, anomalies: AnomalyMap, options: ReadOptions
) -> ScoredCase:
    """The map of a volume beside its truth, as an evaluation takes it."""
    x, y, z = volume.spacing.tolist()
    return ScoredCase(
        case.name, anomalies.scores.numpy(), volume.brain.numpy(),
        case.read_truth(volume, options), (x, y, z), anomalies.volume_score, case.subject,
    )  # fmt: skip


def _scored(
    detector: Detector, cohort: Cohort, seconds: list[float], watch: Watch
) -> Iterator[ScoredCase]:
    """Every case with its map; `seconds` gets the time that reading and scoring each one took."""
    for done, case in enumerate(cohort.cases, start=1):
        began = time.perf_counter()
        volume = cohort[done - 1]
        anomalies = detector.score(volume)
        seconds.append(time.perf_counter() - began)
        yield with_truth(case, volume, anomalies, cohort.options)
        watch("test", done, len(cohort))
