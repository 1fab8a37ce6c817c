"""Where slicenet keeps what outlives a run, by the XDG rules."""

import os
import tempfile
from pathlib import Path


def weights_folder() -> Path:
    """`SLICENET_WEIGHTS`, or the user's data folder."""
    return _named("SLICENET_WEIGHTS") or _home("XDG_DATA_HOME", ".local/share") / "weights"


def cache_folder() -> Path:
    """`SLICENET_CACHE`, or the user's cache folder."""
    return _named("SLICENET_CACHE") or _home("XDG_CACHE_HOME", ".cache")


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value).expanduser().absolute() if value else None


def _home(variable: str, usual: str) -> Path:
    base = os.environ.get(variable, "")
    # The rules say that a relative path is to be ignored.
    if os.path.isabs(base):
        return Path(base) / "slicenet"
    home = os.path.expanduser("~")
    folder = Path(home, usual, "slicenet")
    # A service or a container may have no home, or one that nobody can write to.
    if os.path.isabs(home) and _can_be_used(folder):
        return folder
    return Path(tempfile.gettempdir(), f"slicenet-{os.getuid()}")


def _can_be_used(folder: Path) -> bool:
    # `Path.exists` raises in a home that belongs to somebody else.
    nearest = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    return nearest == folder or (nearest.is_dir() and os.access(nearest, os.W_OK))
