"""No network, for this process: Python imports it before anything else where it is on the path."""

import sys

LOOPBACK = ("127.", "::1", "localhost")


def _loopback_only(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise RuntimeError(f"a test reached for the network: {address}")
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "", "localhost"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
        if not host.startswith(LOOPBACK):
            raise RuntimeError(f"a test reached for the network: {host}")


# An audit hook sees every socket of this process, however it was opened.
sys.addaudithook(_loopback_only)
