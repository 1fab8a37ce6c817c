from slicenet.tables import markdown, page, text

ROWS = [
    ["backend", "AP", "p"],
    ["zscore", "0.250 ±0.010 [0.20–0.30]", "0.04"],
    ["<b>", "–", ""],
]


def test_on_a_terminal_intervals_stand_below_their_values():
    assert text(ROWS).split("\n") == [
        "backend            AP     p",
        "zscore   0.250 ±0.010  0.04",
        "          [0.20–0.30]",
        "<b>                 –",
    ]


def test_markdown_has_a_line_a_row():
    lines = markdown(ROWS).splitlines()
    assert lines[1] == "| --- | --- | --- |"
    assert lines[2] == "| zscore | 0.250 ±0.010 [0.20–0.30] | 0.04 |"
    assert len(lines) == 4


def test_text_cannot_become_markup():
    assert "<b>" not in page(ROWS)
    assert "&lt;b&gt;" in page(ROWS)
    assert "0.250 ±0.010<br><small>[0.20–0.30]</small>" in page(ROWS)
