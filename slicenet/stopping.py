"""Being asked to stop: by a batch system, a shell or Ctrl-C.

A request ends work by an exception, at once or where a training loop looks for it. Should neither
come about in time, the process just ends: whatever is written is whole or is not there.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, final

PREEMPTED, INTERRUPTED = 75, 130
CODES = {
    getattr(signal, name): code
    for name, code in (
        ("SIGTERM", PREEMPTED),
        ("SIGUSR1", PREEMPTED),  # of Slurm, some time before the end
        ("SIGINT", INTERRUPTED),
    )
    if hasattr(signal, name)
}
GRACE = 4.5  # seconds from a request to the end


@final
class Stopped(KeyboardInterrupt):
    """Somebody has asked to stop; as with Ctrl-C, no handler of errors catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = CODES[number]


@final
class _Request:
    """What the one process that this is has been asked."""

    number = 0  # the signal; 0 for none
    heeded = False  # whether anybody heeds signals here
    deferred = 0  # loops that look for a request themselves


_request = _Request()


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, signals end the work by `Stopped`; a second Ctrl-C ends the process at once."""
    # Handlers can only be set in the main thread, which a notebook's kernel may not offer.
    if _request.heeded or threading.current_thread() is not threading.main_thread():
        yield
        return
    # What is ignored was left to others: Ctrl-C by what runs in the background of a shell, say.
    wanted = [number for number in CODES if signal.getsignal(number) != signal.SIG_IGN]
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    earlier = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    keeper = threading.Thread(target=_keep_time, args=(ear,), daemon=True)
    keeper.start()
    _request.heeded, _request.number = True, 0
    before = {number: signal.signal(number, _heed) for number in wanted}
    try:
        yield
    finally:
        _request.heeded = False
        signal.set_wakeup_fd(earlier)
        os.close(mouth)
        keeper.join()
        os.close(ear)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Within, a request is heard by `look` alone, and at the end: steps stay whole."""
    _request.deferred += 1
    try:
        yield
    finally:
        _request.deferred -= 1
    if not _request.deferred:
        look()


def asked() -> bool:
    """Whether the work is to stop."""
    return _request.heeded and bool(_request.number)


def look() -> None:
    """Stop here if that was asked for."""
    if asked():
        raise Stopped(_request.number)


def leave(code: int) -> NoReturn:
    """End the process without the seconds that an interpreter takes to put all away."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _heed(number: int, frame: FrameType | None) -> None:
    """Note a request; a later one changes nothing, so that what clears up is not disturbed."""
    if not _request.number:
        _request.number = number
        if not _request.deferred:
            raise Stopped(number)


def _keep_time(ear: int) -> None:
    """End the process when its time is over, however busy it is; beside it, in a thread."""
    first, end = 0, 0.0
    while True:
        left = max(0.0, end - time.monotonic()) if first else None
        if not select.select([ear], [], [], left)[0]:
            _end(first)
        heard = os.read(ear, 1)
        if not heard:  # the work is over
            return
        if first and heard[0] == signal.SIGINT:
            _end(signal.SIGINT)
        if not first and heard[0] in CODES:
            first, end = heard[0], time.monotonic() + GRACE


def _end(number: int) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"\nended; the same command goes on from what was kept before\n")
    os._exit(CODES[number])
