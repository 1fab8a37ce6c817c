"""Slices beside the published way: the same weights and volume, in turns, each in its process."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, final

import numpy as np
import torch
from safetensors.torch import save as serialize

from slicenet import files
from slicenet.bench.counting import Counter
from slicenet.bench.published import whole_network
from slicenet.bench.subject import SubjectSettings, keep, subject
from slicenet.bench.ways import REFERENCE
from slicenet.bench.worker import SCRIPT, Task
from slicenet.errors import ConfigError, ResourceError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.expected import ExpectedSettings, normalise
from slicenet.extractors.pictures import PictureSettings, paint
from slicenet.extractors.precision import cpu_gains
from slicenet.watch import Watch, silent

STAGES = ("backbone", "pooling", "flow")
OURS = "float32"
BACKBONES = ("resnet50", "resnet101", "wide_resnet50_2", "wide_resnet101_2")
MOMENTS_FROM = 4  # slices, through which random weights get batch norms that fit a brain


@dataclass(frozen=True)
class SliceBenchSettings:
    """Settings of `compare`."""

    backbone: str = "wide_resnet50_2"  # one of BACKBONES
    pixels: int = 192
    slices: int = 96
    rounds: int = 3
    seconds: float = 150.0  # after which nothing further begins
    bfloat16: bool = False  # even where it is not worth it; where it is, it is measured anyway
    flatness: tuple[float, ...] = (0.5, 2.0)  # times the slices, of which only the peak is measured
    template: str = "auto"  # of the brain; see `SubjectSettings`

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.seconds <= 0:
            raise ConfigError("rounds and seconds must be positive", "E_SETTING")
        self.subject(self.slices)  # says so now if it cannot be
        if self.backbone not in BACKBONES:
            raise ConfigError(
                f"{self.backbone}: the published pooling needs layers of 512 and 1024 channels",
                "E_SETTING", f"one of {', '.join(BACKBONES)}",
            )  # fmt: skip

    def subject(self, slices: int) -> SubjectSettings:
        """The brain in so many slices."""
        return SubjectSettings(self.pixels, slices, self.template)


def compare(
    settings: SliceBenchSettings = SliceBenchSettings(), watch: Watch = silent
) -> dict[str, Any]:
    """Medians of each way, `ways`, and the peak of ours by the number of slices, `peaks`."""
    names = [REFERENCE, OURS]
    if settings.bfloat16 or cpu_gains():
        names.append("bfloat16")
    with TemporaryDirectory() as place:
        folder = Path(place)
        began = time.monotonic()
        _save_weights(settings, folder / "whole.safetensors")
        rounds = _measure(names, settings, folder, began, watch)
        peaks = _peaks(settings, folder, began, watch)
        maps = {name: _map(folder / f"{name}.npy") for name in names}
    ways = [_row(name, rounds[name], maps, settings) for name in names]
    for row in ways:
        row["ratio"] = ways[0]["seconds"] / row["seconds"]
    peaks[settings.slices] = ways[1]["peak_gb"]
    return {"ways": ways, "peaks": dict(sorted(peaks.items()))}


def _save_weights(settings: SliceBenchSettings, file: Path) -> None:
    """Random weights, the moments of whose norms are those of a few slices of the volume."""
    volume = subject(settings.subject(settings.slices))
    chosen = torch.linspace(0, settings.slices - 1, MOMENTS_FROM + 2)[1:-1].long()
    painted = paint(volume.voxels[..., chosen], volume.brain[..., chosen], PictureSettings())
    network = whole_network(settings.backbone)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the moments of what is seen, not a blend with the first ones
    with torch.no_grad():
        network.train()(normalise(painted, ExpectedSettings()))
    state = {name: one.contiguous() for name, one in network.state_dict().items()}
    files.write_bytes(file, serialize(state))


def _measure(
    names: Sequence[str], settings: SliceBenchSettings, folder: Path, began: float, watch: Watch
) -> dict[str, list[dict[str, Any]]]:
    """What each way answered in each round; all take part in a round, one after the other."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(_task(name, settings.slices, settings, folder)))
            for name in names
        ]
        for done in range(1, settings.rounds + 1):
            for name, worker in zip(names, workers, strict=True):
                found[name].append({"group": worker.group, **worker.measure()})
            watch("rounds", done, settings.rounds)
            if time.monotonic() - began > settings.seconds:
                break
    return found


def _peaks(
    settings: SliceBenchSettings, folder: Path, began: float, watch: Watch
) -> dict[int, float]:
    peaks: dict[int, float] = {}
    for done, times in enumerate(settings.flatness, start=1):
        slices = round(settings.slices * times)
        if time.monotonic() - began > settings.seconds:
            break
        with _worker(_task(OURS, slices, settings, folder, "other.npy")) as worker:
            peaks[slices] = float(worker.measure()["peak_gb"])
        watch("peaks", done, len(settings.flatness))
    return peaks


def _task(way: str, slices: int, settings: SliceBenchSettings, folder: Path, out: str = "") -> Task:
    brain = folder / f"brain{slices}.safetensors"
    if not brain.exists():
        keep(subject(settings.subject(slices)), brain)
    weights, threads = str(folder / "whole.safetensors"), torch.get_num_threads()
    file = str(folder / (out or f"{way}.npy"))
    return Task(way, settings.backbone, weights, threads, str(brain), file)


def _map(file: Path) -> np.ndarray:
    with files.reading(file) as opened:
        return np.load(opened)


@final
class Worker:
    """A process that waits to be told to measure."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.group = int(self._answer()["group"])

    def measure(self) -> dict[str, Any]:
        """Seconds by stage, shapes and peak of one more volume."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise ResourceError(f"a measuring process ended with {code}", "E_MEMORY")
        return json.loads(line)


@contextmanager
def _worker(task: Task) -> Iterator[Worker]:
    command = [sys.executable, "-c", SCRIPT, task.text()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Worker(process)
        assert process.stdin is not None
        process.stdin.close()


def _row(
    name: str, rounds: list[dict[str, Any]], maps: dict[str, Any], settings: SliceBenchSettings
) -> dict[str, Any]:
    """Medians over the rounds; the share is that of the machine's speed in the same round."""
    operations = _operations(name, rounds[0]["shapes"], settings)
    speeds = [operations / one["backbone"] for one in rounds]
    shares = [speed / one["matrix_speed"] for speed, one in zip(speeds, rounds, strict=True)]
    brain = maps[OURS] != 0
    return {
        "way": name,
        "seconds": median(sum(one[stage] for stage in STAGES) for one in rounds),
        **{stage: median(one[stage] for one in rounds) for stage in STAGES},
        "gflops": median(speeds) / 1e9,
        "matrix_gflops": median(one["matrix_speed"] for one in rounds) / 1e9,
        "share": median(shares),
        "peak_gb": max(one["peak_gb"] for one in rounds),
        "correlation": float(np.corrcoef(maps[REFERENCE][brain], maps[name][brain])[0, 1]),
        "group": rounds[0]["group"],
        "rounds": len(rounds),
    }


def _operations(name: str, shapes: list[list[int]], settings: SliceBenchSettings) -> int:
    if name == REFERENCE:
        network = whole_network(settings.backbone)
    else:
        network = Backbone(BackboneSettings(settings.backbone, weights="random")).network
    return Counter(network).operations([tuple(shape) for shape in shapes])
