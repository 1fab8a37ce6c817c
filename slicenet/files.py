"""Our way to the disk, and the only one. Whole files or none: a final name never holds a half.

What fails is an OSError that names the file.
"""

import errno
import hashlib
import io
import json
import os  # for every operation: tests put a disk that fails in its place
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, final

from safetensors import safe_open

BINARY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
TEMPORARY = ".tmp-"  # how names begin of what is not whole yet
ABANDONED = 24 * 3600.0  # seconds after which it belongs to nobody
LOG = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | BINARY


@final
class Raw(io.RawIOBase):
    """An open file without a buffer; it owns its handle."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    def readinto(self, buffer: Any) -> int:
        """The next bytes, as many as there are at once."""
        view = memoryview(buffer).cast("B")
        with _named(self._path):
            content = os.read(self.fileno(), len(view))
        view[: len(content)] = content
        return len(content)

    def write(self, content: Any) -> int:
        """Write all of it, or fail."""
        rest = memoryview(content).cast("B")
        count = len(rest)
        with _named(self._path):
            while rest:
                rest = rest[os.write(self.fileno(), rest) :]
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _named(self._path):
            return os.lseek(self.fileno(), offset, whence)

    def sync(self) -> None:
        """Wait until the disk has it."""
        with _named(self._path):
            os.fsync(self.fileno())

    def fileno(self) -> int:
        """The handle; not of a closed file, as the system may have given it to another by now."""
        if self.closed:
            raise ValueError(f"{self._path}: closed already")
        return self._handle

    def readable(self) -> bool:
        return True

    writable = seekable = readable

    def close(self) -> None:
        if not self.closed:
            super().close()
            with _named(self._path):
                os.close(self._handle)


def open_handle(path: Path, flags: int) -> int:
    """A descriptor; what is made new may be read and written by whom the umask lets."""
    return os.open(path, flags, 0o666)


def reading(path: Path) -> io.BufferedReader:
    """Open a file for reading."""
    return io.BufferedReader(Raw(open_handle(path, os.O_RDONLY | BINARY), path))


def appending(path: Path) -> Raw:
    """Open a log for writing at its end; a link in its place is replaced, never followed."""
    make_folder(path.parent)
    if os.path.islink(path):
        remove(path)
    return Raw(open_handle(path, LOG), path)


def unnamed() -> Raw:
    """A file that nobody else sees, and that is gone once it is closed."""
    with tempfile.TemporaryFile() as made:
        return Raw(os.dup(made.fileno()), Path(tempfile.gettempdir()))


@contextmanager
def writing(path: Path) -> Iterator[Raw]:
    """What is written becomes `path` once the block ends well; until then nothing has changed."""
    make_folder(path.parent)
    temporary = _beside(path)
    with _kept(temporary, path), _new(temporary, path) as file:
        yield file
        file.sync()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The same for writers of others, which take a name: a temporary one beside `path`."""
    make_folder(path.parent)
    temporary = _beside(path)
    with _kept(temporary, path):
        _new(temporary, path).close()
        yield temporary
        with Raw(open_handle(temporary, os.O_RDONLY | BINARY), path) as file:
            file.sync()


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with writing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with a line per value; NaN and Inf are refused."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add a line to a log; what could be written of one that failed is taken back."""
    with appending(path) as file:
        end = file.seek(0, os.SEEK_END)
        try:
            file.write((line + "\n").encode("utf-8", "backslashreplace"))
        except OSError:
            with suppress(OSError):
                os.ftruncate(file.fileno(), end)
            raise


def cut_line(path: Path) -> None:
    """Cut off the half of a line that a fault in an earlier run has left at the end of a log."""
    with appending(path) as file, _named(path):
        os.ftruncate(file.fileno(), file.readall().rfind(b"\n") + 1)


def read_bytes(path: Path) -> bytes:
    """All that a file holds."""
    with reading(path) as file:
        return file.read()


def read_text(path: Path, errors: str = "strict") -> str:
    """All that a file of UTF-8 holds."""
    return read_bytes(path).decode("utf-8", errors)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is none that can be read."""
    try:
        content = json.loads(read_text(path))
    except OSError as error:
        if error.errno == errno.EIO:  # a broken disk says nothing about what is there
            raise
        return {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def tensors(path: Path, framework: str = "pt") -> Iterator[safe_open]:
    """Open a safetensors file, whose tensors are mapped into memory."""
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would wait for its writer
        raise OSError(errno.EINVAL, "not a file", str(path))
    reading(path).close()  # says why, where that fails
    with safe_open(path, framework) as file:
        yield file


def load_tensors(path: Path, framework: str = "pt") -> dict[str, Any]:
    """All tensors of a safetensors file."""
    with tensors(path, framework) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def digest(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with reading(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(path: Path) -> None:
    """Remove a file or a link, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def make_folder(path: Path) -> None:
    """Make a folder and those around it, if they are not there."""
    if not os.path.isdir(path):
        os.makedirs(path, exist_ok=True)


def _beside(path: Path) -> Path:
    # The ending stays last: writers choose a format by it. A leading dot hides it from readers.
    ending = "".join(path.suffixes[-2:]) if path.name.endswith(".gz") else path.suffix
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}{ending}")


def _new(temporary: Path, path: Path) -> Raw:
    with _named(path):
        return Raw(open_handle(temporary, NEW), path)


@contextmanager
def _kept(temporary: Path, path: Path) -> Iterator[None]:
    """What the block leaves under a temporary name gets its own; nothing is left if it fails."""
    try:
        yield
        with _named(path):
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in errors that name none, or one of no use to a reader."""
    try:
        yield
    except OSError as error:
        named = error.filename and not os.path.basename(error.filename).startswith(TEMPORARY)
        if error.errno is None or named:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error
