"""A real Chromium without a window, driven over a pipe as its DevTools are; nothing to install."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
# A pipe that DevTools speak through has to be these very files of the process.
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4);"
    "os.execvp(sys.argv[3], sys.argv[3:])"
)
PATIENCE = 60.0  # seconds; machines that test are busy


def find() -> str | None:
    """The command that starts a Chromium; none if there is no such thing here."""
    asked = os.environ.get("SLICENET_CHROMIUM")
    return asked or next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page, with everything that it said or asked for since it was opened."""

    def __init__(self, to_it: int, from_it: int) -> None:
        self._to_it, self._from_it = to_it, from_it
        self._rest, self._number, self._session = b"", 0, ""
        self.said: list[str] = []  # errors and warnings of its console
        self.asked: list[str] = []  # addresses that it loaded, but for what it holds itself

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Show a file of this disk and wait until it is ready."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.readyState === 'complete'")

    def run(self, code: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        done = self.call("Runtime.evaluate", expression=code, awaitPromise=True,
                         returnByValue=True)  # fmt: skip
        if "exceptionDetails" in done:
            raise AssertionError(f"{code}: {json.dumps(done['exceptionDetails'])[:500]}")
        return done["result"].get("value")

    def wait(self, code: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(code):
            assert time.monotonic() < end, f"never true: {code}"
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until what was asked to be drawn is drawn."""
        self.run("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")

    def press(self, key: str) -> None:
        """A key down and up again."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **text)
        self.settle()

    def click(self, code: str) -> None:
        """Click the middle of the element that an expression gives."""
        x, y = self.middle(code)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def middle(self, code: str) -> tuple[float, float]:
        """Where the middle of an element lies, once it is in sight."""
        box = self.run(
            f"(() => {{ const e = {code}; e.scrollIntoView({{block: 'center'}});"
            "const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2] })()"
        )
        return box[0], box[1]

    def wheel(self, code: str, down: int) -> None:
        """Turn the wheel over the middle of an element."""
        x, y = self.middle(code)
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=down)
        self.settle()

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """Write what is in sight, or the whole page, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_it, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method", ""), event.get("params", {})
        if method == "Network.requestWillBeSent":
            address = told["request"]["url"]
            self.asked += [] if address.startswith("data:") else [address]
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(told["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.said.append(json.dumps(told["args"])[:500])
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.said.append(told["entry"]["text"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._from_it, 1 << 20)
            assert more, "the browser has gone"
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        return json.loads(first)


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser of its own, which ends with the block."""
    command = find()
    assert command is not None
    ours, theirs = [], []
    for end in (0, 1):  # what it reads from us, what it writes to us
        raw = os.pipe()
        # Far from 3 and 4, which are about to be taken.
        pair = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in raw]
        for one in raw:
            os.close(one)
        theirs.append(pair[end])
        ours.append(pair[1 - end])
    words = [sys.executable, "-c", LAUNCH, *map(str, theirs), command, *FLAGS,
             f"--user-data-dir={profile}", "about:blank"]  # fmt: skip
    process = subprocess.Popen(words, pass_fds=theirs, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    for one in theirs:
        os.close(one)
    try:
        yield Page(ours[0], ours[1])
    finally:
        for one in ours:
            os.close(one)  # which also tells it to go
        process.terminate()
        process.wait(30)
