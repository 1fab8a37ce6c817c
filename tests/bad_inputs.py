"""The list of bad inputs and faults, gone through: `make bad-inputs`.

A test covers the item whose number its name begins with, with or without the letter of the group:
`test_c44_…`, `test_95_…`. There are 110 items: A files, B headers, C geometry, D intensities,
E data sets and settings, F models, G output and file system, H process and resources.
"""

import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, final

import pytest

from slicenet.errors import Notice, SlicenetError

LISTED = 110
GROUPS = {"a": 21, "b": 42, "c": 59, "d": 70, "e": 78, "f": 89, "g": 98, "h": 110}  # their last
NAME = re.compile(r"test_([a-h]?)(\d{2,3})_(\w+)")
DEFINED = re.compile(r"^def (test_\w+)", re.MULTILINE)
HERE = Path(__file__).parent
WIDTH = 86
PASS, FAIL, NOT_RUN = "pass", "fail", "not run here"

# Of the items that have no test.
REASONS: dict[int, str] = {}


def number_of(test: str) -> int | None:
    """The number of the item that a test of this name covers; none if it covers none."""
    found = NAME.match(test)
    if found is None:
        return None
    letter, number = found[1], int(found[2])
    right = next((group for group, last in GROUPS.items() if 0 < number <= last), None)
    assert right is not None, f"{test}: no such item in the list"
    assert letter in ("", right), f"{test}: no such item in its group"
    return number


def covered() -> dict[Path, set[int]]:
    """The files that hold tests of the list, and the numbers that each of them covers."""
    found = {
        path: {number_of(test) for test in DEFINED.findall(path.read_text("utf-8"))} - {None}
        for path in sorted(HERE.rglob("test_*.py"))
    }
    return {path: numbers for path, numbers in found.items() if numbers}


def sentence(test: str) -> str:
    """What a test says, in words."""
    found = NAME.match(test)
    return found[3].replace("_", " ") if found else test


@final
class Table:
    """A plugin that runs the tests of the list alone, and keeps what became of each item."""

    def __init__(self) -> None:
        self._seen: list[str] = []  # codes of the test that runs
        self._told: dict[int, dict[str, list[str]]] = defaultdict(dict)  # codes, by sentence
        self._outcomes: dict[int, list[str]] = defaultdict(list)
        self._skipped: dict[int, str] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Leave out all tests of other things."""
        chosen = [number_of(item.originalname) is not None for item in items]
        others = [item for item, ours in zip(items, chosen, strict=True) if not ours]
        items[:] = [item for item, ours in zip(items, chosen, strict=True) if ours]
        config.hook.pytest_deselected(items=others)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Listen to the codes of errors and warnings while a test runs."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SlicenetError, "__init__", self._heard(SlicenetError.__init__))
            patch.setattr(Notice, "__init__", self._heard(Notice.__init__))
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a test, and what was seen on the way."""
        test = report.location[2].partition("[")[0].rpartition(".")[2]
        number = number_of(test)
        assert number is not None, "all others were left out"
        if report.when == "call" or not report.passed:
            self._outcomes[number].append(report.outcome)
            if report.skipped and isinstance(report.longrepr, tuple):
                self._skipped[number] = report.longrepr[2].removeprefix("Skipped: ")
            seen = self._told[number].setdefault(sentence(test), [])
            seen += [code for code in dict.fromkeys(self._seen) if code not in seen]
        self._seen.clear()

    def verdict(self, number: int) -> str:
        """What came of an item; no test and no reason for that is a fault, as both at once are."""
        outcomes = self._outcomes[number]
        if (number in REASONS) is bool(outcomes) or "failed" in outcomes:
            return FAIL
        return PASS if "passed" in outcomes else NOT_RUN

    def what(self, number: int) -> str:
        """What happened, in the words of the tests and with the codes that were seen."""
        verdict = self.verdict(number)
        if verdict == NOT_RUN:
            return REASONS.get(number) or self._skipped[number]
        told = [
            f"{said} [{', '.join(codes)}]" if codes else said
            for said, codes in self._told[number].items()
        ]
        if number in REASONS and told:
            told.append("(and a reason why there is no test)")
        if number in self._skipped and told:
            told.append(f"in part not run here: {self._skipped[number]}")
        return "; ".join(told) or "there is no test"

    def rows(self) -> Iterator[str]:
        """Number, what happened and verdict of each item, then the counts."""
        verdicts = [self.verdict(number) for number in range(1, LISTED + 1)]
        for number, verdict in enumerate(verdicts, start=1):
            first, *more = textwrap.wrap(self.what(number), WIDTH)
            yield f"{number:>3}  {first:<{WIDTH}}  {verdict}"
            yield from (f"     {line}" for line in more)
        counts = ", ".join(f"{verdicts.count(kind)} {kind}" for kind in (PASS, FAIL, NOT_RUN))
        yield f"{LISTED} listed: {counts}"

    def _heard(self, original: Callable[..., None]) -> Callable[..., None]:
        @wraps(original)
        def init(made: Any, *values: Any, **named: Any) -> None:
            original(made, *values, **named)
            self._seen.append(made.code)

        return init


def main() -> int:
    """Run the tests of the list and print the table; 0 if nothing failed."""
    table = Table()
    # The files alone that hold such tests: to collect all others would take longer.
    ended = pytest.main(["-q", "--tb=short", *map(str, covered())], plugins=[table])
    rows = list(table.rows())
    sys.stdout.write("\n".join(["", *rows]) + "\n")
    return int(ended not in (0, pytest.ExitCode.TESTS_FAILED) or f" 0 {FAIL}," not in rows[-1])


if __name__ == "__main__":
    sys.exit(main())
