"""Where a long training has got to, so that it goes on after whatever stops it."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

from safetensors import SafetensorError
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.optim import Optimizer

from slicenet import files, stopping

State = tuple[Mapping[str, Tensor], Mapping[str, Any]]  # tensors, and plain values beside them
EVERY = 60.0  # seconds
NETWORKS, MOMENTS = "networks.", "moments."  # names of tensors


@final
class Savepoint:
    """One file that a training leaves from time to time; without a path, nothing is kept."""

    def __init__(self, path: Path | None = None, every: float | None = None) -> None:
        self._path = path
        self._every = EVERY if every is None else every  # seconds
        self._last = time.monotonic()

    def part(self, name: str) -> "Savepoint":
        """A savepoint of its own for one of several trainings; cleared along with this one."""
        path = self._path and self._path.with_name(f"{self._path.stem}.{name}{self._path.suffix}")
        return Savepoint(path, self._every)

    def load(self) -> State | None:
        """What an earlier run has left, if it is whole."""
        if self._path is None:
            return None
        try:
            with files.tensors(self._path) as file:
                values = json.loads((file.metadata() or {})["state"])
                return {name: file.get_tensor(name) for name in file.keys()}, values  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError):
            return None

    def offer(self, state: Callable[[], State]) -> None:
        """Keep what `state` tells, if the last time is long enough ago; or now, and stop."""
        if stopping.asked() or time.monotonic() - self._last >= self._every:
            self.keep(state)
        stopping.look()

    def keep(self, state: Callable[[], State]) -> None:
        """Keep what `state` tells."""
        if self._path is None:
            return
        tensors, values = state()
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with contextlib.suppress(OSError):  # a full disk costs time later, not the run now
            files.write_bytes(self._path, serialize(held, {"state": json.dumps(values)}))
        self._last = time.monotonic()

    def clear(self) -> None:
        """The training is over: what is kept elsewhere is whole."""
        if self._path is not None:
            for left in self._path.parent.glob(f"{self._path.stem}.*"):  # parts as well
                with contextlib.suppress(OSError):
                    files.remove(left)


def packed(networks: nn.Module, optimiser: Optimizer) -> dict[str, Tensor]:
    """Weights and the moments of their gradients, by names of a savepoint."""
    tensors = {f"{NETWORKS}{name}": held for name, held in networks.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"{MOMENTS}{number}.{name}": held for name, held in moments.items()}
    return tensors


def unpack(tensors: Mapping[str, Tensor], networks: nn.Module, optimiser: Optimizer) -> None:
    """Give both what `packed` has told of them; the rates stay as they are."""
    networks.load_state_dict(below(NETWORKS, tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, held in below(MOMENTS, tensors).items():
        number, _, leaf = name.partition(".")
        moments.setdefault(int(number), {})[leaf] = held
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): held for name, held in tensors.items() if name.startswith(prefix)
    }
