import re

from slicenet.bench.report import backend_lines, slice_lines

STAGES = {"backbone": 5.0, "pooling": 0.5, "flow": 0.5}
ROW = {"seconds": 6.0, **STAGES, "gflops": 200.0, "matrix_gflops": 250.0, "share": 0.8,
       "rounds": 3, "group": 96, "correlation": 0.9999}  # fmt: skip
FOUND = {
    "ways": [
        {**ROW, "way": "published", "seconds": 24.0, "peak_gb": 8.25, "ratio": 1.0},
        {**ROW, "way": "float32", "peak_gb": 0.75, "ratio": 4.0},
        {**ROW, "way": "bfloat16", "seconds": 9.0, "peak_gb": 0.5, "ratio": 2.5},
    ],
    "peaks": {48: 0.7, 96: 0.75},
}


def test_the_last_line_alone_states_the_fastest_of_ours():
    numbers = re.findall(r"\d+\.?\d*", list(slice_lines(FOUND))[-1].removeprefix("float32"))
    assert numbers == ["4.00", "6.00", "0.75", "80"]


def test_every_way_has_a_row_as_wide_as_the_head():
    head, *rows = list(slice_lines(FOUND))[:4]
    assert [row.split()[0] for row in rows] == ["published", "float32", "bfloat16"]
    assert {len(row) for row in rows} == {len(head)}


def test_the_rate_that_shares_are_of_is_told():
    told = next(line for line in slice_lines(FOUND) if "matrix products" in line)
    assert told.endswith(": published 250, float32 250, bfloat16 250")


def test_every_backend_has_a_row():
    row = {"backend": "histeq", "train_seconds": 1.5, "score_seconds": 0.25, "peak_gb": 0.5}
    _, line, note = backend_lines([row], 192, "cpu")
    assert line.split() == ["histeq", "1.50", "0.25", "0.50"]
    assert "192" in note
