import pytest

from slicenet.backends.pair import Pair
from slicenet.bench.backends import ball, bench
from slicenet.errors import ConfigError


def test_a_row_a_backend_with_what_was_measured():
    (row,) = bench(["histeq"], 40, "cpu")
    assert row["backend"] == "histeq"
    assert row["score_seconds"] > 0
    assert 0.1 < row["peak_gb"] < 4


def test_an_unknown_backend_is_refused_before_any_work():
    with pytest.raises(ConfigError, match="did you mean histeq"):
        bench(["histe"], 40, "cpu")


def test_by_default_no_network_is_trained(monkeypatch):
    rows = []
    monkeypatch.setattr("slicenet.bench.backends._bench_one", lambda name, *_: rows.append(name))
    bench([], 40, "cpu")
    assert rows == ["histeq", "intensity-gaussian", "zscore"]


@pytest.mark.parametrize(
    ("extractor", "scorer", "wanted"),
    [("texture", "zscore", True), ("texture", "flow", False), ("categories", "gnsm", False),
     ("dagmm", "zscore", False), ("slices", "zscore", False)],
)  # fmt: skip
def test_a_backend_that_nobody_knows_tells_itself_whether_it_trains(
    monkeypatch, extractor, scorer, wanted
):
    def unknown():
        return Pair(extractor=extractor, scorer=scorer)

    rows = []
    monkeypatch.setattr("slicenet.bench.backends.BACKENDS", {"unknown": unknown})
    monkeypatch.setattr("slicenet.bench.backends._bench_one", lambda name, *_: rows.append(name))
    bench([], 40, "cpu")
    assert bool(rows) == wanted


def test_the_ball_is_a_brain_in_its_own_right():
    volume = ball(40, 0)
    assert 0.2 < volume.brain.float().mean() < 0.6
    assert (volume.voxels[0][volume.brain] > 0).all()
    assert not (ball(40, 0).voxels - ball(40, 1).voxels == 0).all()
