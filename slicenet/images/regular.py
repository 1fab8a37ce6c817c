"""Opening a path that may be anything: only regular files get through, and nothing hangs."""

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from slicenet.errors import ResourceError, SlicenetError, VolumeError
from slicenet.files import Raw, open_handle
from slicenet.images.printable import printable

# A pipe that nobody writes to would block an ordinary open for ever.
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

CODES = {
    errno.ENOENT: "E_NOT_FOUND",
    errno.ENOTDIR: "E_NOT_FOUND",
    errno.ELOOP: "E_NOT_FOUND",
    errno.ENAMETOOLONG: "E_NOT_FOUND",
    errno.EACCES: "E_PERMISSION",
    errno.EPERM: "E_PERMISSION",
    errno.ENXIO: "E_NOT_FILE",
    errno.ESTALE: "E_CHANGED",
}


@contextmanager
def open_regular(path: Path) -> Iterator[Raw]:
    """Open a regular file for reading, and make sure that it stayed the same to the end."""
    with Raw(_descriptor(path), path) as file:
        before = _signature(os.fstat(file.fileno()))
        try:
            yield file
        except VolumeError as error:
            # A file that is still being written looks cut or damaged: say the reason instead.
            _check_unchanged(path, file, before, error)
            raise
        _check_unchanged(path, file, before)


def read_some(file: Raw, count: int) -> bytes:
    """The next bytes, at most `count`; none at the end."""
    try:
        return file.read(count) or b""
    except OSError as error:
        raise refusal(error) from error


def _descriptor(path: Path) -> int:
    try:
        _check_regular(path, os.stat(path).st_mode)  # first: merely opening a device may move it
        descriptor = open_handle(path, FLAGS)
    except OSError as error:
        if os.path.islink(path) and error.errno in (errno.ENOENT, errno.ELOOP):
            _refuse_link(path, error)
        raise refusal(error) from error
    except ValueError as error:  # a zero byte within the name
        raise VolumeError("there is no such file", "E_NOT_FOUND") from error
    try:
        _check_regular(path, os.fstat(descriptor).st_mode)
    except VolumeError:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    hint = "convert its series with dcm2niix" if stat.S_ISDIR(mode) and _holds_dicom(path) else ""
    kind = KINDS.get(stat.S_IFMT(mode), "something else")
    raise VolumeError(f"is {kind}, not a file", "E_NOT_FILE", hint)


def _holds_dicom(folder: Path) -> bool:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return False
    return any(name.lower().endswith((".dcm", ".ima")) or name == "DICOMDIR" for name in names)


def _refuse_link(path: Path, error: OSError) -> NoReturn:
    target = os.readlink(path)
    if "annex/objects/" in target.replace(os.sep, "/"):
        raise VolumeError(
            "its content has not been fetched by git-annex yet", "E_POINTER", fetch_from_annex(path)
        ) from error
    if error.errno == errno.ELOOP:
        raise VolumeError("is a link that leads back to itself", "E_NOT_FOUND") from error
    message = f"is a link to {printable(target)}, which does not exist"
    raise VolumeError(message, "E_NOT_FOUND") from error


def fetch_from_annex(path: Path) -> str:
    """The command that brings the content of `path`."""
    return f"run: git annex get -- {printable(shlex.quote(str(path)))}"


def refusal(error: OSError) -> SlicenetError:
    """What the system says of a file, as an error of ours that does not name it."""
    if error.errno == errno.EIO:  # says nothing about the file, which a later run may see whole
        return ResourceError(f"cannot be read ({error.strerror})", "E_DISK", "check the disk")
    code = CODES.get(error.errno or 0, "E_READ")
    reason = {
        "E_NOT_FOUND": "there is no such file",
        "E_PERMISSION": "reading it is not permitted",
        "E_CHANGED": "vanished while it was read",
    }
    return VolumeError(reason.get(code, f"cannot be read ({error.strerror})"), code)


def _signature(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_unchanged(
    path: Path, file: Raw, before: tuple[int, int, int, int], cause: Exception | None = None
) -> None:
    try:
        now = _signature(os.fstat(file.fileno())), _signature(os.stat(path))
    except OSError as error:
        raise VolumeError("vanished while it was read", "E_CHANGED") from error
    if now != (before, before):
        raise VolumeError("changed while it was read", "E_CHANGED", "read it again") from cause
