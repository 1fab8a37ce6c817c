"""Where a long training has got to, so that it goes on after whatever stops it."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

from safetensors import SafetensorError
from safetensors.torch import save as serialize
from torch import Tensor

from slicenet.files import remove, tensors, write_bytes

State = tuple[Mapping[str, Tensor], Mapping[str, Any]]  # tensors, and plain values beside them


@final
class Savepoint:
    """One file that a training leaves from time to time; without a path, nothing is kept."""

    def __init__(self, path: Path | None = None, every: float = 60.0) -> None:
        self._path = path
        self._every = every  # seconds
        self._last = time.monotonic()
        self._parts: list[Savepoint] = []

    def part(self, name: str) -> "Savepoint":
        """A savepoint of its own for one of several trainings; cleared along with this one."""
        path = self._path and self._path.with_name(f"{self._path.stem}.{name}{self._path.suffix}")
        self._parts.append(Savepoint(path, self._every))
        return self._parts[-1]

    def load(self) -> State | None:
        """What an earlier run has left, if it is whole."""
        if self._path is None:
            return None
        try:
            with tensors(self._path) as file:
                values = json.loads((file.metadata() or {})["state"])
                return {name: file.get_tensor(name) for name in file.keys()}, values  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError):
            return None

    def offer(self, state: Callable[[], State]) -> None:
        """Keep what `state` tells, if the last time is long enough ago."""
        if time.monotonic() - self._last >= self._every:
            self.keep(state)

    def keep(self, state: Callable[[], State]) -> None:
        """Keep what `state` tells."""
        if self._path is None:
            return
        tensors, values = state()
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with contextlib.suppress(OSError):  # a full disk costs time later, not the run now
            write_bytes(self._path, serialize(held, {"state": json.dumps(values)}))
        self._last = time.monotonic()

    def clear(self) -> None:
        """The training is over: what is kept elsewhere is whole."""
        for part in self._parts:
            part.clear()
        if self._path is not None:
            with contextlib.suppress(OSError):
                remove(self._path)
