import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch


class Answer(BaseHTTPRequestHandler):
    """Gives each path what the test put there: status, headers and body."""

    def do_GET(self) -> None:
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """An HTTP server on the loopback address; tests fill `answers` and ask `address`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.answers = {}
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    """A small state dict with the kinds of tensors that backbones hold."""
    draw = torch.Generator().manual_seed(0)
    return {
        "conv1.weight": torch.randn(4, 3, 2, 2, generator=draw),
        "bn1.running_mean": torch.randn(4, generator=draw).half(),
        "bn1.num_batches_tracked": torch.tensor(7),
    }
