"""What strangers may send, drawn at random: it comes to success or to a typed error, in bounds."""

import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slicenet.errors import SlicenetError
from tests.bounds import room

SECONDS = 2.0  # of the processor, so that a busy machine fails nothing
PATIENCE = 30  # seconds after which something hangs
MEMORY = 2**29  # bytes beyond what was held before


@final
@dataclass(frozen=True)
class Target:
    """One door for what comes from outside."""

    name: str
    values: st.SearchStrategy[Any]
    enter: Callable[[Any, Path], object]  # with a folder for its files
    share: int  # of 100 examples


@final
class BreachError(Exception):
    """What must not happen: neither success nor a typed error, or too much of time or memory."""


def explore(
    target: Target, folder: Path, examples: int, derandomised: bool, seen: Counter[str]
) -> None:
    """Try that many examples and count in `seen` what came of them; raises at the first breach."""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=derandomised,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(target.values)
    def once(value: Any) -> None:
        seen[attempt(target, value, folder)] += 1

    once()


def attempt(target: Target, value: Any, folder: Path) -> str:
    """What comes of one value: "ok" or the code of a typed error."""
    began = time.process_time()
    try:
        with room(MEMORY), _patience(), warnings.catch_warnings():
            warnings.simplefilter("error")
            target.enter(value, folder)
        found = "ok"
    except SlicenetError as error:
        if not str(error) or not error.code.startswith("E_"):
            raise BreachError(f"{target.name}: an error without words or code") from error
        found = error.code
    except Exception as error:
        raise BreachError(f"{target.name}: {error!r}") from error
    if time.process_time() - began > SECONDS:
        raise BreachError(f"{target.name}: took {time.process_time() - began:.1f} s")
    return found


@contextmanager
def _patience() -> Iterator[None]:
    """Break off what hangs."""

    def give_up(number: int, frame: object) -> NoReturn:
        raise TimeoutError(f"no answer within {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
