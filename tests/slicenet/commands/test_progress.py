import pytest

from slicenet.commands.progress import reporter


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("slicenet.commands.progress.time.monotonic", lambda: now[0])
    return now


def test_without_a_terminal_there_are_plain_lines_now_and_then(capsys, clock):
    with reporter() as watch:
        for done in range(1, 101):
            clock[0] += 1
            watch("fit", done, 100, loss=0.5)
    lines = capsys.readouterr().err.splitlines()
    assert 9 <= len(lines) <= 12
    assert lines[-1] == "fit 100/100, loss 0.5, 1 min 39 s"
    assert all("\r" not in line for line in lines)


def test_on_a_terminal_a_bar_tells_the_time_left(capsys, clock, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with reporter() as watch:
        for done in (1, 2, 3):
            watch("score", done, 5)
            clock[0] += 2
    told = capsys.readouterr().err
    assert "score 3/5, 4 s left" in told
    assert told.endswith("\n")


def test_an_unknown_total_is_left_out(capsys):
    with reporter(json_output=True) as watch:
        watch("read", 1, 0)
    assert capsys.readouterr().err.startswith("read 1")


def test_what_goes_on_in_its_middle_tells_the_time_left_by_its_own_steps(capsys, clock):
    with reporter() as watch:
        for done in (51, 52, 53):
            watch("fit", done, 100)
            clock[0] += 12
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["fit 51/100", "fit 52/100, 9 min 36 s left", "fit 53/100, 9 min 24 s left"]
