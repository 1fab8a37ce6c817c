from slicenet.leaderboard import COLUMNS, Line, markdown, page, rows, text

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
    for name in rows([GOOD])[0]:
        assert name in text([GOOD])
        assert name in markdown([GOOD])
        assert name in page([GOOD])
    assert "0.250 [0.20–0.30]" in markdown([GOOD])
    assert "1.23" in text([GOOD])


def test_what_does_not_exist_is_a_dash_and_a_failure_is_named():
    header, good, bad, partial = rows([GOOD, BAD, PARTIAL])
    assert partial[1:] == ["–"] * (len(COLUMNS) + 1)
    assert bad[1] == "E_TOO_FEW"
    assert len(header) == len(good) == len(bad) == len(partial)


def test_seconds_stand_only_where_some_are_known():
    assert rows([GOOD, PARTIAL])[0][-1] == "s/volume"
    assert "s/volume" not in rows([PARTIAL, BAD])[0]


def test_the_spread_over_seeds_stands_beside_its_mean():
    row = {"figure": "auroc", "value": 0.9, "low": 0.85, "high": 0.95, "spread": 0.0123}
    assert rows([Line("zscore", {"figures": [row]})])[1][2] == "0.900 ±0.012 [0.85–0.95]"
    assert rows([Line("zscore", {"figures": [row | {"spread": None}]})])[1][2] == (
        "0.900 [0.85–0.95]"
    )
