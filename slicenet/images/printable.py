"""Names and texts of strangers, made safe to print."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slicenet.errors import ResourceError, VolumeError


def printable(text: object) -> str:
    """The text with everything that no terminal should see escaped: one line, valid UTF-8."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say which file it was in front of what was wrong with it."""
    try:
        yield
    except (VolumeError, ResourceError) as error:
        message = f"{printable(path)}: {error.message}"
        raise type(error)(message, error.code, error.hint) from error.__cause__
