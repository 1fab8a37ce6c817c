"""Gzip, walked to its very end: a wrong checksum or a cut trailer never passes."""

import zlib
from collections.abc import Generator, Iterator
from typing import final

from slicenet.errors import VolumeError

MAGIC = b"\x1f\x8b"
STEP = 2**20  # bytes that come out at once, whatever goes in
JUNK = 2**20  # bytes past the end that are put up with
AGAIN = "fetch or convert it again"
GZIP = 16 + zlib.MAX_WBITS  # zlib then checks each member's length and CRC itself


@final
class Inflated:
    """The bytes inside gzip members, one member after another, in steps of at most 1 MiB."""

    def __init__(self, packed: Iterator[bytes]) -> None:
        self._packed = packed
        self.junk = 0  # bytes after the last member; known once everything was walked

    def __iter__(self) -> Iterator[bytes]:
        rest = self._more(b"", len(MAGIC))
        while rest.startswith(MAGIC):
            rest = self._more((yield from self._member(rest)), len(MAGIC))
        self.junk = len(rest)
        for chunk in self._packed:
            self.junk += len(chunk)
            refuse_junk(self.junk)
        refuse_junk(self.junk)

    def _member(self, packed: bytes) -> Generator[bytes, None, bytes]:
        """Walk one member and return the packed bytes that follow it."""
        member = zlib.decompressobj(GZIP)
        while not member.eof:
            packed = packed or next(self._packed, b"")
            if not packed:
                message = "the gzip stream was cut off before its end"
                raise VolumeError(message, "E_TRUNCATED", AGAIN)
            try:
                step = member.decompress(packed, STEP)
            except zlib.error as error:
                message = f"the gzip stream is damaged ({str(error).rpartition(': ')[2]})"
                raise VolumeError(message, "E_CRC", AGAIN) from error
            packed = member.unconsumed_tail
            if step:
                yield step
        return member.unused_data

    def _more(self, start: bytes, count: int) -> bytes:
        while len(start) < count and (chunk := next(self._packed, b"")):
            start += chunk
        return start


def refuse_junk(count: int) -> None:
    """Stop where far more follows than the header speaks of."""
    if count > JUNK:
        message = f"more than {JUNK // 2**20} MiB follow the voxels that its header claims"
        raise VolumeError(message, "E_TOO_LARGE")
