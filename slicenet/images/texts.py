"""Small text files that tell of cases."""

from pathlib import Path

from slicenet.images.printable import naming
from slicenet.images.regular import open_regular, refusal


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; other bytes stay as they are, since they may be names of files."""
    # Pipes and devices can have any name, and reading one may never end.
    with naming(path), open_regular(path) as file:
        try:
            content = file.readall()
        except OSError as error:
            raise refusal(error) from error
    return content.decode("utf-8-sig", "surrogateescape")
