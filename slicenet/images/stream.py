"""The bytes of a file in order, unpacked if they are packed, and hashed as they pass."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import final

from slicenet.errors import VolumeError
from slicenet.files import Raw
from slicenet.images.inflate import MAGIC, Inflated, refuse_junk
from slicenet.images.regular import open_regular, read_some

CHUNK = 2**18  # bytes read at once


@final
class ByteStream:
    """Bytes that can be looked at before they are taken, in constant memory."""

    def __init__(self, chunks: Iterable[bytes], packed: bool = False) -> None:
        self.packed = packed
        self.position = 0  # bytes taken so far, unpacked
        self._source = chunks
        self._chunks = iter(chunks)
        self._next = memoryview(b"")

    def peek(self, count: int) -> bytes:
        """The next bytes, left where they are; fewer than `count` only at the end."""
        parts = [bytes(self._next)]
        while sum(map(len, parts)) < count and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
        self._next = memoryview(b"".join(parts))
        return bytes(self._next[:count])

    def take_into(self, target: memoryview) -> int:
        """Copy the next bytes into `target`; how many there were, fewer only at the end."""
        done = 0
        while done < len(target) and (part := self._part(len(target) - done)):
            target[done : done + len(part)] = part
            done += len(part)
        return done

    def skip(self, count: int) -> int:
        """Pass over the next bytes; how many there were, fewer than `count` only at the end."""
        done = 0
        while done < count and (part := self._part(count - done)):
            done += len(part)
        return done

    def finish(self) -> int:
        """Go on to the very end; how many bytes there still were, packing and all."""
        done = 0
        while part := self._part(CHUNK):
            done += len(part)
            refuse_junk(done)
        return done + (self._source.junk if isinstance(self._source, Inflated) else 0)

    def _part(self, most: int) -> memoryview:
        if not self._next:
            self._next = memoryview(next(self._chunks, b""))
        part, self._next = self._next[:most], self._next[most:]
        self.position += len(part)
        return part


@contextmanager
def open_stream(path: Path, passing: Callable[[bytes], object]) -> Iterator[ByteStream]:
    """Open a file by what its bytes are, not by its name; `passing` sees the stored bytes."""
    with open_regular(path) as file:
        chunks = _chunks(file, passing)
        first = next(chunks, b"")
        if not first:
            raise VolumeError("is empty: 0 bytes", "E_EMPTY", "fetch or convert it again")
        stored = chain([first], chunks)
        packed = first.startswith(MAGIC)
        stream = ByteStream(Inflated(stored) if packed else stored, packed)
        if packed and not stream.peek(1):
            stream.finish()
            raise VolumeError("is an empty file inside gzip", "E_EMPTY")
        yield stream


def _chunks(file: Raw, passing: Callable[[bytes], object]) -> Iterator[bytes]:
    while chunk := read_some(file, CHUNK):
        passing(chunk)
        yield chunk
