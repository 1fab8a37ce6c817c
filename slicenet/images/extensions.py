"""Header extensions: walked so that none is taken for voxels, and never kept."""

import struct

from slicenet.errors import Notice, VolumeError
from slicenet.images.stream import ByteStream

SHORTEST = 16  # bytes of an extension, by the standard


def skip_extensions(stream: ByteStream, end: int, order: str) -> tuple[Notice, ...]:
    """Pass over the extensions between here and byte `end`, in byte order "<" or ">"."""
    if end - stream.position < SHORTEST:
        return _without_room(stream, end)
    while end - stream.position >= 8:
        head = stream.peek(8)
        if len(head) < 8:
            break
        size, code = struct.unpack(f"{order}ii", head)
        if size == 0:  # padding up to the voxels
            break
        if not 8 <= size <= end - stream.position:
            room = end - stream.position
            message = f"a header extension (code {code}) claims {size} bytes, where {room} are left"
            raise VolumeError(message, "E_EXTENSION")
        if stream.skip(size) < size:
            message = f"a header extension (code {code}) claims {size} bytes, more than follow"
            raise VolumeError(message, "E_EXTENSION")
    return ()


def _without_room(stream: ByteStream, end: int) -> tuple[Notice, ...]:
    stream.skip(max(0, end - stream.position))
    # Nobody can tell whether these bytes are an extension or the first voxels, unless they are 0.
    if stream.peek(8).strip(b"\0"):
        message = "says that header extensions follow, but leaves no room before the voxels"
        raise VolumeError(message, "E_EXTENSION", "save it again with the tool that made it")
    return (Notice("W_EXTENSION", "announces header extensions and has none"),)
