import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from slicenet.errors import ConfigError, NoInputError
from slicenet.metrics.evaluation import evaluate
from slicenet.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=40, bootstrap_bins=64)
THRESHOLDS = {"fpr0.01": 2.3, "fpr0.05": 1.6}


@pytest.fixture
def cases(make_case):
    return [make_case(seed, lesions=seed % 3) for seed in range(6)]


@pytest.fixture
def evaluation(cases):
    return evaluate(cases, THRESHOLDS, SETTINGS)


def test_cases_are_walked_once_and_one_at_a_time(make_case):
    alive = []

    def walk():
        for seed in range(4):
            alive.append(seed)
            yield make_case(seed)

    seen = []
    evaluate(walk(), {}, SETTINGS, lambda stage, done, total: seen.append((done, len(alive))))
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_progress_knows_the_total_of_a_list(cases):
    seen = []
    evaluate(cases, {}, SETTINGS, lambda *step: seen.append(step))
    assert seen[0] == ("evaluate", 1, 6)


def test_every_figure_has_its_own_key_and_can_be_asked_for(evaluation):
    keys = [figure.key for figure in evaluation.figures]
    assert len(set(keys)) == len(keys)
    assert 0.5 < evaluation["auroc"] <= 1
    assert evaluation["dice@fpr0.01"] <= evaluation["oracle_dice"]
    with pytest.raises(KeyError):
        evaluation["accuracy"]


def test_json_holds_plain_values_and_every_case(evaluation):
    content = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert [case["name"] for case in content["cases"]] == [f"case{i}" for i in range(6)]
    assert content["thresholds"] == THRESHOLDS
    assert content["settings"]["resamples"] == 40
    assert content["rules"] == list(evaluation.rules())


def test_three_files_are_written_and_agree(evaluation, tmp_path):
    evaluation.write(tmp_path, {"failed": []})
    content = json.loads((tmp_path / "evaluation.json").read_text())
    assert content["failed"] == []
    with (tmp_path / "evaluation.csv").open() as file:
        rows = {row["figure"]: row for row in csv.DictReader(file)}
    assert float(rows["auroc"]["value"]) == evaluation["auroc"]
    with (tmp_path / "evaluation_cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    assert [case["lesioned"] for case in cases] == ["False", "True", "True"] * 2
    assert cases[0]["auroc"] == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda case: replace(case, truth=None),
        lambda case: replace(case, scores=np.full_like(case.scores, -3)),
        lambda case: replace(case, truth=case.brain.copy()),
        lambda case: replace(case, brain=case.truth.copy()),
    ],
    ids=["all healthy", "constant maps", "all lesion", "brain is lesion"],
)
@pytest.mark.parametrize("count", [1, 4])
def test_whatever_does_not_exist_is_never_nan(make_case, change, count):
    cases = [change(make_case(seed)) for seed in range(count)]
    found = evaluate(cases, THRESHOLDS, SETTINGS)
    content = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(content)["figures"]
    assert len(found.rows()) > 30


def test_one_case_has_figures_without_intervals(make_case):
    found = evaluate([make_case(0)], THRESHOLDS, SETTINGS)
    assert found["dice@fpr0.05"] is not None
    assert all(figure.estimate.low is None for figure in found.figures)


def test_the_order_of_cases_changes_nothing(cases, evaluation):
    other = evaluate(cases[::-1], THRESHOLDS, SETTINGS)
    for one, two in zip(evaluation.figures, other.figures, strict=True):
        assert one.key == two.key
        for name in ("value", "low", "high"):
            values = getattr(one.estimate, name), getattr(two.estimate, name)
            assert values[0] == pytest.approx(values[1], abs=1e-9), one.key


def test_notices_say_what_is_missing(make_case, evaluation):
    codes = {notice.code for notice in evaluate([make_case(0)], {}, SETTINGS).notices}
    assert codes == {"W_NO_HEALTHY", "W_NO_THRESHOLDS"}
    healthy = evaluate([make_case(0, lesions=0)], THRESHOLDS, SETTINGS)
    assert {notice.code for notice in healthy.notices} == {"W_NO_LESION"}
    assert evaluation.notices == ()


def test_truth_beyond_the_brain_is_told_by_name(make_case):
    case = make_case(2)
    truth = case.truth.copy()
    truth[0, 0, 0] = True
    found = evaluate([replace(case, truth=truth), make_case(0, lesions=0)], THRESHOLDS, SETTINGS)
    assert [notice.code for notice in found.notices] == ["W_TRUTH_OUTSIDE"]
    assert "case2" in found.notices[0].message


def test_two_volumes_of_one_name_are_refused(make_case):
    with pytest.raises(ConfigError, match="case1") as raised:
        evaluate([make_case(1), make_case(1)], THRESHOLDS, SETTINGS)
    assert raised.value.code == "E_COLLISION"


def test_nothing_to_evaluate_is_no_input():
    with pytest.raises(NoInputError):
        evaluate([], THRESHOLDS)
