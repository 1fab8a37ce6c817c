"""A file over HTTP: the only code of slicenet that uses the network."""

import http.client
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from slicenet.errors import CheckpointError
from slicenet.files import writing
from slicenet.watch import Watch, silent

CHUNK = 2**20  # bytes
TIMEOUT = 30.0  # seconds of silence
# What a server, a proxy or a cable can do to a transfer; a full disk is another matter.
BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)


def download(url: str, to: Path, limit: int, watch: Watch = silent) -> None:
    """Write what `url` answers to `to`: all of it, at most `limit` bytes, and no web page."""
    if not url.startswith(("https://", "http://")):
        raise CheckpointError(f"{url}: not an http address", "E_FETCH")
    request = urllib.request.Request(url, headers={"User-Agent": "slicenet"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, writing(to) as file:
            _refuse(url, answer.headers.get_content_type() == "text/html", "a web page")
            total = int(answer.headers.get("Content-Length", 0))
            _refuse(url, total > limit, f"{total} bytes, more than {limit}")
            got = _copy(answer, file, url, total, limit, watch)
            _refuse(url, got < total, f"only {got} of {total} bytes")
    except urllib.error.HTTPError as error:
        with error:  # it is the open answer, too
            message = f"{url}: the server answered {error.code} {error.reason}"
            raise CheckpointError(message, "E_FETCH", _hint()) from error
    except BROKEN as error:
        raise CheckpointError(f"{url}: {_reason(error)}", "E_FETCH", _hint()) from error


def _copy(answer: Any, file: Any, url: str, total: int, limit: int, watch: Watch) -> int:
    got = 0
    while chunk := answer.read(CHUNK):
        got += len(chunk)
        _refuse(url, got > limit, f"more than {limit} bytes")
        file.write(chunk)
        watch("fetch", got, max(total, got))
    return got


def _refuse(url: str, wrong: bool, what: str) -> None:
    if wrong:
        raise CheckpointError(f"{url}: the server sent {what}", "E_FETCH", _hint())


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError):
        return f"no answer ({error.reason})"
    return f"the transfer broke ({str(error) or type(error).__name__})"


def _hint() -> str:
    return "bring the file by other means and run `slicenet weights import FILE`"
