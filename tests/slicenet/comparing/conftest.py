"""Outcomes of trials that never took place, on figures that are told."""

import numpy as np
import pytest

from slicenet.comparing.standing import Standing
from slicenet.comparing.trial import Outcome
from slicenet.leaderboard import COLUMNS
from slicenet.metrics import EvaluationSettings
from slicenet.metrics.resamples import resample

RECORD = {
    "train_seconds": 10.0, "cached_seconds": 0.0, "score_seconds": 0.5, "peak_gb": 0.75,
    "gpu_gb": None, "model_bytes": 2_500_000, "threads": 2, "processor": "Abacus", "device": "cpu",
    "warnings": [],
}  # fmt: skip


def _outcome(values, **record):
    """An outcome in which each case has the same value of every figure."""
    subjects = [f"s{index:02d}" for index in range(len(values))]
    resamples = resample(subjects, [True] * len(values), EvaluationSettings())
    every = np.ones(len(values), bool)
    mean = np.array(values)[:, None] / len(values)
    estimate = resamples.estimate(mean, lambda sums: sums[:, 0], every)
    cases = [
        {"name": subject, "subject": subject, **dict.fromkeys(COLUMNS, value)}
        for subject, value in zip(subjects, values, strict=True)
    ]
    return Outcome(RECORD | record, dict.fromkeys(COLUMNS, estimate), cases)


@pytest.fixture(scope="session")
def outcome():
    return _outcome


@pytest.fixture(scope="session")
def standings():
    """Three backends with three seeds each on twelve subjects, and one that failed."""
    generator = np.random.default_rng(0)
    common = generator.uniform(0.2, 0.6, 12)
    found = []
    for name, lead in (("histeq", -0.15), ("zscore", 0.1), ("simulated", 0.08)):
        outcomes = [
            _outcome(
                common + lead + generator.normal(0, 0.03, 12),
                train_seconds=10.0 + seed, cached_seconds=2.0 * seed, peak_gb=0.75 + seed / 4,
            )
            for seed in range(3)
        ]  # fmt: skip
        found.append(Standing(name, outcomes))
    return [*found, Standing("broken", (), "E_MEMORY", "seed 1: killed")]
