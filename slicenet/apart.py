"""Work in a process of its own: its memory is its own, and its end takes nothing else down."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from slicenet import stopping
from slicenet.errors import ResourceError, SlicenetError, out_of_memory
from slicenet.watch import Watch, silent

PATIENCE = 10.0  # seconds that a process has to clear up once it is told to end


def work_apart(work: Callable[[Watch], None], watch: Watch = silent) -> None:
    """Do `work`, which must be of a module, in another process; `watch` hears it here.

    What goes wrong there is raised here; a process that dies raises an error of its own.
    """
    context = server(work.__module__)
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(told, work), daemon=True)
    process.start()
    told.close()
    try:
        error = _listen(heard, watch)
        process.join()
    finally:
        end(process)  # it may tell something until then
        heard.close()
    if error:
        raise error
    if process.exitcode:
        raise death(process.exitcode)


def server(*imports: str) -> ForkServerContext:
    """What starts processes that have imported these modules."""
    # A fork of this process might hang, for torch has threads; a new interpreter would import torch
    # for each piece of work. The server has no threads, and imports once for all of them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *imports])
    # Its group may be asked to stop as a whole, and it must not go before its children.
    resource_tracker.ensure_running()  # would open the ears of this process again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stopping.CODES)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def follow_parent() -> None:
    """Have this process leave it to its parent when to stop, and end with it.

    What heeds SIGTERM afterwards ends with `PREEMPTED`.
    """
    for number in stopping.CODES:
        if number != signal.SIGTERM:  # the parent's own way to end it
            signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping.CODES)  # as the server had them
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _work(told: Connection, work: Callable[[Watch], None]) -> None:
    follow_parent()

    def watch(stage: str, done: int, total: int, **values: float) -> None:
        told.send((stage, done, total, values))

    try:
        with stopping.stoppable():
            work(watch)
    except stopping.Stopped as stop:
        raise SystemExit(stop.exit_code) from None  # runs every `finally`
    except (SlicenetError, OSError) as error:
        told.send(error)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        told.send(ResourceError(f"out of memory ({error})", "E_MEMORY"))


def _listen(heard: Connection, watch: Watch) -> Exception | None:
    """Pass on what is told until the other end closes; the error that was told, if any."""
    error = None
    while True:
        try:
            message: Any = heard.recv()
        except (EOFError, OSError):  # closed; in the middle of a message if it was killed
            return error
        if isinstance(message, Exception):
            error = message
        else:
            stage, done, total, values = message
            watch(stage, done, total, **values)


def end(process: BaseProcess) -> None:
    """Leave no process behind, whatever has happened here."""
    process.terminate()
    process.join(PATIENCE)
    process.kill()
    process.join()


def death(code: int) -> SlicenetError:
    """What a process that ended so, with nothing told, has come to."""
    if code == stopping.PREEMPTED:
        code = -signal.SIGTERM  # which it heeds, and no other request
    if code >= 0:
        return SlicenetError(f"its process ended with {code}; why stands above", "E_CRASHED")
    name = {one.value: one.name for one in signal.Signals}.get(-code, f"signal {-code}")
    if name != "SIGKILL":
        return SlicenetError(f"its process was ended by {name}", "E_CRASHED")
    message = "its process was killed (SIGKILL), probably for want of memory"
    return ResourceError(message, "E_MEMORY")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # a killed parent cannot tell its processes
