import numpy as np
import pytest

from slicenet.comparing import Result
from slicenet.comparing.sweep import Sweep, label, text
from slicenet.metrics import EvaluationSettings, ScoredCase, evaluate
from slicenet.metrics.resamples import Estimate, resample

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
def sweep():
    strengths = {"plain": 1.5, "equal": 1.5, "better": 2.5}
    return Sweep({
        name: [
            Result(None, judged(strength, seed + (9 if name == "equal" else 0)), 1.0, 0.0, 0.1)
            for seed in range(SEEDS)
        ]
        for name, strength in strengths.items()
    })  # fmt: skip


def test_a_difference_is_of_each_subject_over_all_seeds(sweep):
    gained = [
        [
            result.evaluation.cases[subject].values["average_precision"]
            for result in sweep.results[name]
        ]
        for name in ("better", "plain")
        for subject in range(ILL)
    ]
    better, plain = np.array(gained).mean(1).reshape(2, ILL)
    ill = [subject < ILL for subject in range(SUBJECTS)]
    names = [f"s{subject:02d}" for subject in range(SUBJECTS)]
    drawn = resample(names, ill, EvaluationSettings()).weights[:, :ILL]
    expected = np.quantile(drawn @ (better - plain) / ILL, (0.025, 0.975))
    found = sweep.difference("better", "plain", "average_precision")
    assert found.value == pytest.approx((better - plain).mean())
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_only_what_differs_stands_apart(sweep):
    assert sweep.apart("plain", "average_precision") == ["better"]


def test_nothing_differs_from_itself(sweep):
    found = sweep.difference("plain", "plain", "volume_auroc")
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_each_setting_has_a_row_and_the_base_no_difference(sweep):
    lines = sweep.markdown("plain", ["average_precision", "oracle_dice"]).splitlines()
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
