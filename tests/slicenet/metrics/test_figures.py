import json

from slicenet.metrics.figures import Figure
from slicenet.metrics.resamples import Estimate


def test_the_key_names_threshold_and_stratum():
    assert Figure("auroc", Estimate(), 3).key == "auroc"
    assert Figure("dice", Estimate(), 3, "fpr0.01").key == "dice@fpr0.01"
    small = Figure("lesion_f1", Estimate(), 3, "fpr0.01", "<0.5mL")
    assert small.key == "lesion_f1[<0.5mL]@fpr0.01"


def test_a_row_says_all_that_is_needed_to_read_it():
    row = Figure("hd95", Estimate(12.5, 10.0, 15.0), 7, "fpr0.05").to_row()
    assert row["figure"] == "hd95@fpr0.05"
    assert (row["value"], row["low"], row["high"]) == (12.5, 10.0, 15.0)
    assert (row["n"], row["of"], row["unit"]) == (7, "volumes", "mm")
    assert "95th percentile" in row["meaning"]


def test_what_does_not_exist_is_null_in_json():
    row = json.loads(json.dumps(Figure("auroc", Estimate(), 0).to_row(), allow_nan=False))
    assert row["value"] is row["low"] is row["high"] is row["error"] is None


def test_figures_whose_threshold_knew_the_truth_are_marked():
    assert Figure("oracle_dice", Estimate(), 1).to_row()["oracle"]
    assert not Figure("dice", Estimate(), 1, "fpr0.01").to_row()["oracle"]
