from contextlib import suppress

import pytest

from slicenet.errors import Notice, VolumeError
from tests import bad_inputs
from tests.bad_inputs import FAIL, LISTED, NOT_RUN, PASS, REASONS, Table, covered, number_of


def report(test, outcome, when="call", why=""):
    """What pytest tells of a test."""
    at = ("f.py", 1, why) if outcome == "skipped" else None
    return pytest.TestReport(f"f.py::{test}", ("f.py", 1, test), {}, outcome, at, when)


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(bad_inputs, "REASONS", {})
    return Table()


def test_every_item_of_the_list_has_a_test_or_a_reason_and_none_has_both():
    tested = {number for numbers in covered().values() for number in numbers}
    assert tested | set(REASONS) == set(range(1, LISTED + 1))
    assert tested & set(REASONS) == set()


@pytest.mark.parametrize(
    ("name", "number"),
    [("test_a01_x", 1), ("test_95_x", 95), ("test_h110_x", 110), ("test_2_2_x", None),
     ("test_x_12_y", None)],
)  # fmt: skip
def test_a_number_at_the_beginning_of_its_name_is_what_a_test_covers(name, number):
    assert number_of(name) == number


@pytest.mark.parametrize("name", ["test_a22_x", "test_b21_x", "test_111_x", "test_00_x"])
def test_a_number_that_is_not_in_the_list_or_not_in_the_group_is_no_name(name):
    with pytest.raises(AssertionError, match="no such item"):
        number_of(name)


def test_one_failure_fails_an_item_and_only_what_ran_passes(table):
    for test, outcome in [("test_a01_x", "passed"), ("test_a01_y[1]", "failed"),
                          ("test_a02_x", "passed"), ("test_a02_y", "skipped")]:  # fmt: skip
        table.pytest_runtest_logreport(report(test, outcome))
    for test, reason in [("test_a02_z", "no browser"), ("test_a03_x", "no disk")]:
        table.pytest_runtest_logreport(report(test, "skipped", "setup", f"Skipped: {reason}"))
    assert [table.verdict(number) for number in (1, 2, 3, 4)] == [FAIL, PASS, NOT_RUN, FAIL]
    assert table.what(2).endswith("; in part not run here: no browser")
    assert table.what(3) == "no disk"
    assert list(table.rows())[-1] == "110 listed: 1 pass, 108 fail, 1 not run here"


def test_an_error_before_or_after_a_test_is_a_failure(table):
    for when in ("setup", "teardown"):
        table.pytest_runtest_logreport(report("test_a05_x", "failed", when))
    assert table.verdict(5) == FAIL


def test_a_reason_beside_a_test_is_out_of_date(table, monkeypatch):
    monkeypatch.setattr(bad_inputs, "REASONS", {6: "no way", 7: "no way"})
    table.pytest_runtest_logreport(report("test_a07_x", "passed"))
    assert (table.verdict(6), table.what(6)) == (NOT_RUN, "no way")
    assert table.verdict(7) == FAIL


def test_codes_of_errors_and_warnings_are_seen_as_a_test_runs(table):
    running = table.pytest_runtest_call()
    next(running)
    made = VolumeError("", "E_A"), Notice("W_B", ""), VolumeError("", "E_A")
    with suppress(StopIteration):
        running.send(None)
    VolumeError("", "E_AFTER")
    assert made[0].code == "E_A"
    table.pytest_runtest_logreport(report("test_a01_it_is_odd", "passed"))
    table.pytest_runtest_logreport(report("test_a02_all_is_well", "passed"))
    assert (table.what(1), table.what(2)) == ("it is odd [E_A, W_B]", "all is well")
