import csv
import json

import pytest

from slicenet.comparing.report import Report, clear
from slicenet.comparing.standing import Standing, ordered
from slicenet.leaderboard import COLUMNS


@pytest.fixture
def report(standings):
    return Report(ordered(standings), (0, 1, 2), 36, 24)


def test_three_tables_fit_a_terminal_and_rules_follow(report):
    shown = report.text()
    tables = shown.split("\n* ")[0]
    assert max(map(len, tables.splitlines())) <= 160
    titles = [line for line in shown.splitlines() if line in ("Quality", "Cost")]
    assert titles == ["Quality", "Cost"]
    assert "Against zscore, the best by AP" in shown
    for word in ("±", "oracle", "Holm", "Seeds 0, 1, 2", "36 healthy", "24 others", "Abacus"):
        assert word in shown
    assert "E_MEMORY" in shown


def test_costs_stand_in_units_of_people(report):
    line = next(
        line for line in report.text().split("Cost")[1].splitlines() if line.startswith("zscore")
    )
    assert line.split() == ["zscore", "11.0", "2.0", "0.500", "1.25", "2.50"]
    assert "GPU" not in report.text()


def test_a_gpu_has_a_column_of_its_own(outcome):
    report = Report([Standing("zscore", [outcome([0.1, 0.2], gpu_gb=3.5)])], (0,), 8, 2)
    assert "GPU GB" in report.text()
    assert "3.50" in report.text()


def test_times_of_different_threads_are_told_apart(outcome):
    mixed = [outcome([0.1, 0.2]), outcome([0.1, 0.3], threads=4)]
    assert "do not compare" in Report([Standing("zscore", mixed)], (0, 1), 8, 2).text()
    assert "do not compare" not in Report([Standing("zscore", mixed[:1])], (0,), 8, 2).text()


def test_json_and_csv_hold_the_same_records(report, tmp_path):
    report.write(tmp_path)
    found = json.loads((tmp_path / "comparison.json").read_text())
    assert found["seeds"] == [0, 1, 2]
    with (tmp_path / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["backend"] for row in rows] == ["zscore", "simulated", "histeq", "broken"]
    for row, record in zip(rows, found["backends"], strict=True):
        assert list(row) == list(record)
        assert {k: "" if v is None else str(v) for k, v in record.items()} == row
    best = found["backends"][0]
    assert all(best[f"{key}:spread"] > 0 for key in COLUMNS)
    assert found["backends"][3]["reason"] == "seed 1: killed"
    with (tmp_path / "comparison_pairs.csv").open() as file:
        pairs = list(csv.DictReader(file))
    assert [float(pair["p_holm"]) for pair in pairs] == [pair["p_holm"] for pair in found["pairs"]]


def test_markdown_has_the_tables_and_the_plot(report):
    shown = report.markdown()
    assert [line for line in shown.splitlines() if line.startswith("#")] == [
        "# Comparison",
        "## Quality",
        "## Against zscore, the best by AP",
        "## Cost",
    ]
    assert "![Quality against time](comparison.png)" in shown


def test_what_an_earlier_comparison_wrote_does_not_stay(report, tmp_path):
    report.write(tmp_path)
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    nothing = Report([Standing("broken", (), "E_MEMORY", "killed")], (0,), 8, 2)
    nothing.write(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["comparison.csv", "comparison.json", "comparison.md"]
    assert "png" not in (tmp_path / "comparison.md").read_text()
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_seed_has_no_spread(outcome):
    report = Report([Standing("zscore", [outcome([0.1, 0.2])])], (7,), 8, 2)
    assert "±" not in report.text().split("* ")[0]
    assert "Seeds 7:" in report.text()
    assert report.gaps == []
