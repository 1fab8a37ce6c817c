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
def locked(folder: Path, file: str = "") -> Iterator[None]:
    """Hold `folder`, or one `file` in it, for this run; the system lets go when the process dies.

    What others have left half done in a folder is removed.
    """
    name = f".{file}.lock" if file else NAME
    try:
        files.make_folder(folder)
        handle = files.open_handle(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in DISK:
            raise
        raise ConfigError(f"{folder}: cannot write there ({error.strerror})", "E_OUTPUT") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                f"{folder / file}: another run writes here ({_holder(handle)})", "E_LOCKED",
                "wait for it, or choose another folder",
            ) from error  # fmt: skip
        except OSError as error:
            raise ConfigError(
                f"{folder}: its file system has no locks ({error.strerror})", "E_OUTPUT",
                "choose a folder on another; some clusters have locks only where they are asked to",
            ) from error  # fmt: skip
        _sign(handle, {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()})
        if not file:
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
    """Remove what runs that were killed have left half done: whoever holds the folder may.

    A folder within that has a lock of its own is another's.
    """
    for left in folder.rglob(f"{files.TEMPORARY}*"):
        within = left.relative_to(folder).parents[:-1]
        if left.is_file() and not any((folder / one / NAME).exists() for one in within):
            files.remove(left)


def _holder(handle: int) -> str:
    try:
        content = json.loads(os.pread(handle, 4096, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(content["since"]))
        return f"process {content['pid']} on {content['host']} since {since}"
    except (ValueError, KeyError, TypeError, OverflowError, OSError):  # the last two: of its date
        return "it has not said which"
