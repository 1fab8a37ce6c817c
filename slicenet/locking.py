"""One run at a time writes to a folder."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from slicenet import files
from slicenet.errors import DISK, ConfigError, LockedError

NAME = "slicenet.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this run; the system itself lets go when the process dies.

    What others have left half done there is removed.
    """
    try:
        files.make_folder(folder)
        handle = files.open_handle(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in DISK:
            raise
        raise ConfigError(f"{folder}: cannot write there ({error.strerror})", "E_OUTPUT") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                f"{folder}: another run writes here ({_holder(handle)})", "E_LOCKED",
                "wait for it, or choose another folder",
            ) from error  # fmt: skip
        _sign(handle, {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()})
        _clear(folder)
        yield
        _sign(handle, {})
    finally:
        os.close(handle)


def _sign(handle: int, content: dict[str, Any]) -> None:
    with suppress(OSError):  # a courtesy: what holds the folder is the lock, not what it says
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(content).encode(), 0)


def _clear(folder: Path) -> None:
    """Remove what runs that were killed have left half done: whoever holds the folder may."""
    for left in folder.rglob(f"{files.TEMPORARY}*"):
        if left.is_file():
            files.remove(left)


def _holder(handle: int) -> str:
    try:
        content = json.loads(os.pread(handle, 4096, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(content["since"]))
        return f"process {content['pid']} on {content['host']} since {since}"
    except (ValueError, KeyError, TypeError, OverflowError, OSError):  # the last two: of its date
        return "it has not said which"
