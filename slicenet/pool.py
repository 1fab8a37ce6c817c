"""Tasks spread over processes that never outlive their parent."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from slicenet.apart import follow_parent, server
from slicenet.errors import ResourceError

Task = TypeVar("Task")
Result = TypeVar("Result")


def work_through(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    workers: int,
    tell: Callable[[int], None],
    imports: Sequence[str] = (),
) -> list[Result]:
    """Results of `work` in the order of `tasks`; `tell` hears how many are done.

    Modules named in `imports` are loaded before the workers start.
    """
    if min(workers, len(tasks)) <= 1:
        return _listen(map(work, tasks), tell)
    context = server(__name__, work.__module__, *imports)
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, initializer=_begin)
    try:
        return _listen(pool.map(work, tasks), tell)
    except BrokenProcessPool as error:
        message = "a worker process died, probably for want of memory"
        raise ResourceError(message, "E_MEMORY", "fewer --workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _listen(results: Iterable[Result], tell: Callable[[int], None]) -> list[Result]:
    heard = []
    for result in results:
        heard.append(result)
        tell(len(heard))
    return heard


def _begin() -> None:
    """Set up a worker: one thread, no signals of its own, and an end with its parent."""
    torch.set_num_threads(1)
    follow_parent()
