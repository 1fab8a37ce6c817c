from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import VoxelCounts, summarise

THRESHOLDS = {"fpr0.01": 2.0, "fpr0.05": 1.2}
SETTINGS = EvaluationSettings(bootstrap_bins=64)


def test_figures_of_a_lesioned_volume_are_those_of_its_brain(make_case):
    case = make_case(6)
    summary, _ = summarise(case, THRESHOLDS, SETTINGS)
    scores, truth = case.scores[case.brain], case.truth[case.brain]
    values = summary.values
    assert values["auroc"] == pytest.approx(roc_auc_score(truth, scores))
    assert values["average_precision"] == pytest.approx(average_precision_score(truth, scores))
    for name, threshold in THRESHOLDS.items():
        mask = scores > threshold
        assert values[f"dice@{name}"] == pytest.approx(f1_score(truth, mask))
        assert values[f"precision@{name}"] == pytest.approx((mask & truth).sum() / mask.sum())
        assert values[f"recall@{name}"] == pytest.approx((mask & truth).sum() / truth.sum())
        assert values[f"nothing_predicted@{name}"] == 0
    assert values["oracle_dice"] >= max(values[f"dice@{name}"] for name in THRESHOLDS)


def test_a_score_at_the_threshold_is_not_predicted(make_case):
    case = make_case(6, levels=1)
    summary, _ = summarise(case, {"value": 1.0}, SETTINGS)
    assert (
        summary.voxels["value"].hits + summary.voxels["value"].alarms
        == ((case.scores > 1) & case.brain).sum()
    )


def test_counts_of_voxels_add_up_to_the_brain(make_case):
    case = make_case(6)
    counts = summarise(case, THRESHOLDS, SETTINGS)[0].voxels["fpr0.05"]
    assert counts.table().sum() == case.brain.sum()
    assert counts.hits + counts.missed == (case.truth & case.brain).sum()


def test_a_healthy_volume_has_false_positives_and_no_other_figures(make_case):
    case = make_case(7, lesions=0)
    summary, _ = summarise(case, THRESHOLDS, SETTINGS)
    assert not summary.lesioned
    assert all(name.startswith("healthy_") for name in summary.values)
    above = ((case.scores > 1.2) & case.brain).sum()
    assert summary.values["healthy_false_positive_ml@fpr0.05"] == pytest.approx(above * 0.006)
    rate = summary.values["healthy_false_positive_rate@fpr0.05"]
    assert rate == pytest.approx(above / case.brain.sum())
    assert summary.values["healthy_components@fpr0.05"] <= above / 3


def test_a_missed_lesion_costs_the_diagonal_and_scores_nothing(make_case):
    case = make_case(6)
    values = summarise(case, {"high": 1e6}, SETTINGS)[0].values
    diagonal = case.crop().diagonal
    for name in ("hd95", "hd99", "directed_hd99", "mean_surface_distance"):
        assert values[f"{name}@high"] == pytest.approx(diagonal)
    assert values["dice@high"] == values["precision@high"] == values["recall@high"] == 0
    assert values["nothing_predicted@high"] == 1


def test_a_brain_that_is_all_lesion_has_only_the_figures_that_exist(make_case):
    case = make_case(6)
    whole = replace(case, truth=case.brain.copy(), scores=np.full_like(case.scores, 2.5))
    values = summarise(whole, THRESHOLDS, SETTINGS)[0].values
    assert "auroc" not in values
    assert "aupro30" not in values
    assert values["average_precision"] == values["oracle_dice"] == values["dice@fpr0.01"] == 1
    assert values["hd95@fpr0.01"] == 0
    assert values["paper_fullbox_auroc"] == 0.5


def test_without_thresholds_the_figures_that_need_none_remain(make_case):
    summary, _ = summarise(make_case(6), {}, SETTINGS)
    assert {"auroc", "aupro30", "oracle_dice", "paper_fullbox_auprc"} <= set(summary.values)
    assert not any("@" in name for name in summary.values)
    assert summary.voxels == summary.lesions == {}


def test_the_summary_holds_no_voxels_and_the_fine_histogram_all(make_case):
    case = make_case(6)
    summary, fine = summarise(case, THRESHOLDS, SETTINGS)
    assert len(summary.histogram.keys) <= 64 < len(fine.keys)
    for histogram in (summary.histogram, fine):
        assert histogram.positives.sum() + histogram.negatives.sum() == case.brain.sum()


def test_sizes_are_in_millilitres_and_truth_outside_the_brain_is_told(make_case):
    case = make_case(6)
    truth = case.truth.copy()
    truth[0, 0, :5] = True
    facts = summarise(replace(case, truth=truth), THRESHOLDS, SETTINGS)[0].facts
    assert facts["brain_ml"] == pytest.approx(case.brain.sum() * 0.006)
    assert facts["lesion_outside_brain_ml"] == pytest.approx((truth & ~case.brain).sum() * 0.006)
    assert facts["lesions"] >= 1


def test_the_subject_is_the_name_unless_told(make_case):
    assert summarise(make_case(1), {}, SETTINGS)[0].subject == "case1"
    assert summarise(make_case(1, subject="anna"), {}, SETTINGS)[0].subject == "anna"


def test_counts_come_as_a_table_in_a_fixed_order():
    assert VoxelCounts(hits=1, alarms=2, missed=3, rest=4).table().tolist() == [1, 2, 3, 4]
