"""Weights over the network, when somebody asked for it in so many words."""

import secrets
import time
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from slicenet.config import suggest
from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import ABANDONED, TEMPORARY, digest, make_folder, remove
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
    for left in place.glob(f"{TEMPORARY}*"):
        if left.stat().st_mtime < time.time() - ABANDONED:
            remove(left)
    # Inside the folder, where there is room if there is any; the name hides it from `held`.
    file = place / f"{TEMPORARY}{secrets.token_hex(6)}"
    try:
        download(url, file, limit, watch)
        got = digest(file)
        if not got.startswith(expected):
            message = f"{url}: its SHA-256 begins {got[:8]}, not {expected[:8]}"
            raise CheckpointError(message, "E_SHA256", "not the file that was asked for; not kept")
        licence = known.licence if known else ""
        return import_file(file, name, place, licence, PurePosixPath(urlsplit(url).path).name)
    finally:
        remove(file)
