"""Weights over the network, when somebody asked for it in so many words."""

import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from slicenet.config import suggest
from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import digest, make_folder
from slicenet.folders import weights_folder
from slicenet.watch import Watch, silent
from slicenet.weights.download import download
from slicenet.weights.known import KNOWN, published
from slicenet.weights.store import Weights, import_file

LIMIT = 2 * 2**30  # bytes


def fetch(
    name: str,
    url: str = "",
    sha256: str = "",
    folder: Path | None = None,
    watch: Watch = silent,
    limit: int = LIMIT,
) -> Weights:
    """Download, check and import weights; `url` stands in for the published one (a mirror, say)."""
    known = published(name)
    expected = sha256.lower() or (known.sha256 if known else "")
    url = url or (known.url if known else "")
    if not url:
        message = f"weights {name}: no address is known"
        raise ConfigError(message, "E_SETTING", f"--url; {suggest(name, list(KNOWN))}")
    place = folder or weights_folder()
    make_folder(place)
    # Inside the folder, where there is room if there is any; the name hides it from `held`.
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=place) as scratch:
        file = Path(scratch) / (PurePosixPath(urlsplit(url).path).name or "download")
        download(url, file, limit, watch)
        got = digest(file)
        if not got.startswith(expected):
            message = f"{url}: its SHA-256 begins {got[:8]}, not {expected[:8]}"
            raise CheckpointError(message, "E_SHA256", "not the file that was asked for; not kept")
        return import_file(file, name, place, known.licence if known else "")
