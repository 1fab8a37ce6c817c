"""Whether memory has room for what a scorer keeps."""

from slicenet.errors import ResourceError
from slicenet.machine import memory


def check_room(what: str, size: int, advice: str) -> None:
    """Refuse what takes more bytes than are free; where the system keeps that, nothing is."""
    available = memory().available
    if available and size > available:
        raise ResourceError(
            f"{what} take {size / 1e9:.1f} GB, {available / 1e9:.1f} GB are free", "E_MEMORY",
            advice,
        )  # fmt: skip
