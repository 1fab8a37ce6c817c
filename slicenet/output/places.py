"""Where the files that a map was made from lie, as seen from the folder of maps."""

import os
from pathlib import Path


def place(path: Path, out: Path) -> str:
    """POSIX path from `out` to a file; absolute where no way leads from one to the other."""
    # Links in folders are followed, or `..` would lead astray; the file's own name stays.
    there = path.parent.resolve() / path.name
    try:
        return Path(os.path.relpath(there, out.resolve())).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(path)).as_posix()
