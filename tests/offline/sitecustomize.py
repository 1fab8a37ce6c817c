"""No network, for this process: Python imports it before anything else where it is on the path."""

import sys

SENT = ("socket.connect", "socket.sendto", "socket.sendmsg")
ASKED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def _loopback_only(event: str, arguments: tuple) -> None:
    if event in SENT and isinstance(arguments[1], tuple):
        _refuse_beyond(arguments[1][0])
    if event in ASKED:
        _refuse_beyond(arguments[0])


def _refuse_beyond(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name not in ("", "localhost", "::1") and not name.startswith("127."):
        raise RuntimeError(f"a test reached for the network: {name}")


# An audit hook sees every socket of this process, however it was opened.
sys.addaudithook(_loopback_only)
