"""Tasks spread over processes, which never outlive their parent, nor take others down."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, final

import torch

from slicenet.apart import death, end, follow_parent, server
from slicenet.errors import ResourceError, SlicenetError, out_of_memory
from slicenet.stopping import PREEMPTED

Task = TypeVar("Task")
Result = TypeVar("Result")
Outcomes = Generator[tuple[int, Any], None, None]  # the place of a task, and a result or Lost


@final
@dataclass(frozen=True)
class Lost:
    """What came of a task whose process died, or had no memory for it."""

    error: SlicenetError


def work_through(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    workers: int,
    tell: Callable[[int], None],
    lost: Callable[[Task, SlicenetError], Result],
    imports: Sequence[str] = (),
) -> list[Result]:
    """Results of `work` in the order of `tasks`; `tell` hears how many are done.

    With 0 or 1 workers all is done here. `lost` makes the result of a task that was lost, or raises
    what that comes to. Modules named in `imports` are loaded before workers start.
    """
    results: dict[int, Result] = {}
    outcomes = _here(tasks, work) if workers <= 1 else _apart(tasks, work, workers, imports)
    with closing(outcomes):
        for index, outcome in outcomes:
            is_lost = isinstance(outcome, Lost)
            results[index] = lost(tasks[index], outcome.error) if is_lost else outcome
            tell(len(results))
    return [results[index] for index in range(len(tasks))]


def usual_workers(tasks: int) -> int:
    """How many workers, unless somebody says: a task that is alone is not worth their start."""
    return min(2, os.cpu_count() or 1, tasks)


def _here(tasks: Sequence[Any], work: Callable[[Any], Any]) -> Outcomes:
    for index, task in enumerate(tasks):
        yield index, _done(work, task)


def _apart(
    tasks: Sequence[Any], work: Callable[[Any], Any], workers: int, imports: Sequence[str]
) -> Outcomes:
    waiting = iter(enumerate(tasks))
    busy: dict[Any, _Worker] = {}  # by their lines
    idle: list[_Worker] = []
    try:
        while True:
            while len(busy) < workers and (following := next(waiting, None)):
                worker = idle.pop() if idle else _Worker(work, imports)
                busy[worker.line] = worker
                worker.give(*following)
            if not busy:
                return
            for line in wait(list(busy)):
                worker = busy.pop(line)
                index, outcome = worker.answer()
                idle += [worker] if worker.alive else []
                yield index, outcome
    finally:
        for worker in (*idle, *busy.values()):
            worker.end()


@final
class _Worker:
    """A process that does one task after the other."""

    def __init__(self, work: Callable[[Any], Any], imports: Sequence[str]) -> None:
        context = server(__name__, work.__module__, *imports)
        self.line, theirs = context.Pipe()
        self.alive = True
        self._index = -1
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, index: int, task: Any) -> None:
        """Have it begin; one that has died meanwhile answers with that."""
        self._index = index
        with suppress(OSError):
            self.line.send(task)

    def answer(self) -> tuple[int, Any]:
        """What came of its task, and which that was; a bug is raised."""
        try:
            outcome = self.line.recv()
        except (EOFError, OSError):  # in the middle of a message if it was killed
            self.alive = False
            self._process.join()
            outcome = Lost(death(self._process.exitcode or 0))
        if isinstance(outcome, Exception):
            self.end()
            raise outcome
        return self._index, outcome

    def end(self) -> None:
        """Leave no process behind."""
        self.line.close()
        end(self._process)


def _serve(line: Connection, work: Callable[[Any], Any]) -> None:
    """Do what comes along the line, with one thread, until it closes."""
    follow_parent()
    # Runs every `finally`.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(PREEMPTED))
    torch.set_num_threads(1)
    while True:
        try:
            task = line.recv()
        except EOFError:
            return
        try:
            outcome = _done(work, task)
        except Exception as error:  # noqa: BLE001, raised where the tasks came from
            error.add_note(traceback.format_exc())
            outcome = error
        line.send(outcome)


def _done(work: Callable[[Any], Any], task: Any) -> Any:
    """The result of a task, or that it was lost for want of memory."""
    try:
        return work(task)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return Lost(ResourceError(f"out of memory ({error})", "E_MEMORY"))
