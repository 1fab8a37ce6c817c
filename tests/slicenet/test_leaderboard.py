import csv
import io

from slicenet.leaderboard import COLUMNS, Line, header, markdown, page, records, spreadsheet, text

FIGURES = [
    {"figure": key, "value": 0.25 + i / 100, "low": 0.2, "high": 0.3}
    for i, key in enumerate(COLUMNS)
]
GOOD = Line("zscore", {"figures": FIGURES}, 1.234)
BAD = Line("<b>", {}, None, "E_TOO_FEW")
PARTIAL = Line(
    "histeq", {"figures": [{"figure": "auroc", "value": None, "low": None, "high": None}]}
)


def test_every_column_stands_in_every_form():
    for name in header():
        assert name in text([GOOD])
        assert name in markdown([GOOD])
    assert "0.250 [0.20–0.30]" in markdown([GOOD])
    assert "1.23" in text([GOOD])


def test_what_does_not_exist_is_a_dash_and_a_failure_is_named():
    assert PARTIAL.cells()[1:] == ["–"] * (len(COLUMNS) + 1)
    assert BAD.cells()[1] == "E_TOO_FEW"
    assert len(BAD.cells()) == len(header())


def test_text_cannot_become_markup():
    assert "<b>" not in page([BAD])
    assert "&lt;b&gt;" in page([BAD])


def test_the_spreadsheet_holds_the_records():
    rows = list(csv.DictReader(io.StringIO(spreadsheet([GOOD, PARTIAL]))))
    assert [row["backend"] for row in rows] == ["zscore", "histeq"]
    assert float(rows[0]["auroc:low"]) == 0.2
    assert rows[1]["auroc"] == ""
    assert records([BAD])[0]["failure"] == "E_TOO_FEW"
