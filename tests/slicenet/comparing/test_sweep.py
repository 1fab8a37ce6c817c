import numpy as np
import pytest

from slicenet.cohort import find_cohort
from slicenet.comparing import Result, divide
from slicenet.comparing.sweep import Sweep, label, sweep, text
from slicenet.inspection import inspect_to_learn, inspect_to_test
from slicenet.metrics import EvaluationSettings, ScoredCase, evaluate
from slicenet.metrics.resamples import Estimate, resample
from slicenet.recipe import resolve

SUBJECTS, SEEDS, ILL = 12, 2, 8
SHAPE = (12, 12, 12)


def judged(strength, seed):
    """The evaluation of maps that show lesions so clearly."""
    cases = []
    for subject in range(SUBJECTS):
        noise = np.random.default_rng([seed, subject])
        truth = np.zeros(SHAPE, bool)
        truth[3:6, 3:6, 3 : 4 + subject % 3] = subject < ILL
        scores = noise.normal(0, 1, SHAPE) + strength * truth
        cases.append(
            ScoredCase(
                f"s{subject:02d}", scores.astype(np.float32), np.ones(SHAPE, bool), truth,
                (1.0, 1.0, 1.0), float(scores.max()),
            )
        )  # fmt: skip
    return evaluate(cases, {"fpr0.01": 2.3})


@pytest.fixture(scope="module")
def found():
    strengths = {"plain": 1.5, "equal": 1.5, "better": 2.5}
    return Sweep({
        name: [
            Result(None, judged(strength, seed + (9 if name == "equal" else 0)), 1.0, 0.0, 0.1)
            for seed in range(SEEDS)
        ]
        for name, strength in strengths.items()
    })  # fmt: skip


def test_a_difference_is_of_each_subject_over_all_seeds(found):
    gained = [
        [
            result.evaluation.cases[subject].values["average_precision"]
            for result in found.results[name]
        ]
        for name in ("better", "plain")
        for subject in range(ILL)
    ]
    better, plain = np.array(gained).mean(1).reshape(2, ILL)
    ill = [subject < ILL for subject in range(SUBJECTS)]
    names = [f"s{subject:02d}" for subject in range(SUBJECTS)]
    drawn = resample(names, ill, EvaluationSettings()).weights[:, :ILL]
    expected = np.quantile(drawn @ (better - plain) / ILL, (0.025, 0.975))
    gap = found.difference("better", "plain", "average_precision")
    assert gap.value == pytest.approx((better - plain).mean())
    assert (gap.low, gap.high) == pytest.approx(tuple(expected))


def test_only_what_differs_stands_apart(found):
    assert found.apart("plain", "average_precision") == ["better"]


def test_nothing_differs_from_itself(found):
    gap = found.difference("plain", "plain", "volume_auroc")
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)


def test_each_setting_has_a_row_and_the_base_no_difference(found):
    lines = found.markdown("plain", ["average_precision", "oracle_dice"]).splitlines()
    assert lines[0] == "| setting | AP | − plain | ⌈Dice⌉ (oracle) | − plain |"
    cells = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in lines[2:]}
    assert list(cells) == ["plain", "equal", "better"]
    assert cells["plain"][2] == ""
    assert cells["better"][2].startswith("+0.")


def test_what_is_not_known_is_not_told():
    assert text(Estimate()) == "–"
    assert text(Estimate(0.5)) == "0.500"
    assert text(Estimate(-0.5, -0.75, 0.25), "+.2f") == "-0.50 [-0.75 to +0.25]"


def test_an_oracle_is_called_one():
    assert label("pooled_oracle_dice") == "⌈Dice⌉ (oracle)"
    assert label("precision@fpr0.01") == "precision at fpr0.01"
    assert label("dice@fpr0.01") == "Dice at 1 % FPR"


def test_every_change_is_trained_with_every_seed(brains):
    split = divide(find_cohort([brains]), 0.25, 0)
    changes = {size: [f"frame.spacing=[{size},{size},{size}]"] for size in ("8", "12")}
    learnt = inspect_to_learn(split.healthy, resolve("zscore").backend.build().frame)
    tested = inspect_to_test(split.tested, resolve("zscore").backend.build().frame, learnt)
    made = sweep("zscore", changes, (0, 1), learnt, tested).results
    assert {name: len(results) for name, results in made.items()} == {"8": 2, "12": 2}
    assert made["12"][1].model.backend.frame.spacing == (12.0, 12.0, 12.0)
    assert made["12"][1].model.origin.seed == 1
