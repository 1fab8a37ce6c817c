import csv
import io

from slicenet.metrics.figures import Figure
from slicenet.metrics.resamples import Estimate
from slicenet.metrics.table import csv_text, figure_rows, interval_text, number_text, text_table

FIGURES = (
    Figure("volume_auroc", Estimate(0.9, 0.8, 1.0), 12),
    Figure("dice", Estimate(0.5, 0.4, 0.6), 8, "fpr0.05"),
    Figure("hd95", Estimate(31.25), 8, "fpr0.01"),
    Figure("dice", Estimate(0.25, 0.2, 0.3), 8, "fpr0.01"),
    Figure("oracle_dice", Estimate(0.7, 0.6, 0.8), 8),
    Figure("pooled_auroc", Estimate(0.95, 0.9, 0.99), 12, error=2.1e-7),
    Figure("lesion_sensitivity", Estimate(0.5), 4, "fpr0.01", "<0.5mL"),
    Figure("lesion_f1", Estimate(0.5), 4, "fpr0.01", "<0.5mL"),
    Figure("auroc", Estimate(), 0),
)
THRESHOLDS = {"fpr0.01": 2.5, "fpr0.05": 1.5}


def _by_label():
    return {row.figure.strip(): row for row in figure_rows(FIGURES, THRESHOLDS)}


def test_rows_follow_sections_and_thresholds():
    labels = [row.figure.strip() for row in figure_rows(FIGURES, THRESHOLDS)]
    assert labels[:3] == ["AUROC", "⌈Dice⌉ **oracle**", "AUROC"]
    assert labels[3:] == [
        "Dice", "Hausdorff 95 %", "lesion sensitivity, <0.5mL", "Dice", "volume AUROC",
    ]  # fmt: skip


def test_a_section_names_the_threshold_and_its_value():
    sections = {row.section for row in figure_rows(FIGURES, THRESHOLDS)}
    assert "at threshold fpr0.01 (score above 2.5)" in sections


def test_what_does_not_exist_is_a_dash():
    row = figure_rows(FIGURES, THRESHOLDS)[0]
    assert (row.value, row.interval, row.count) == ("–", "–", "0 volumes")


def test_units_intervals_and_errors_are_shown():
    rows = _by_label()
    assert rows["Hausdorff 95 %"].value == "31.250 mm"
    assert rows["volume AUROC"].interval == "0.800 to 1.000"
    pooled = [row for row in figure_rows(FIGURES, THRESHOLDS) if "pooled" in row.section]
    assert pooled[0].value == "0.950 ± 2e-07"


def test_the_text_is_aligned_and_has_each_section_once():
    text = text_table(figure_rows(FIGURES, THRESHOLDS))
    lines = text.splitlines()
    assert lines[0].startswith("figure")
    assert text.count("at threshold fpr0.01") == 1
    column = lines[0].index("interval")
    shown = [line for line in lines if " to " in line]
    assert len(shown) == 5
    assert all(line[column - 1] == " " != line[column] for line in shown)


def test_small_numbers_keep_three_digits_that_count():
    assert number_text(0.00123456) == "1.23e-03"
    assert number_text(0.0) == "0.000"
    assert number_text(-0.5) == "-0.500"
    assert interval_text(None, None) == number_text(None)


def test_csv_leaves_the_cell_of_none_empty():
    text = csv_text([{"a": 1, "b": None}, {"a": "x,y", "b": 0.5}])
    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], ["1", ""], ["x,y", "0.5"]]
    assert csv_text([]) == "\n"
