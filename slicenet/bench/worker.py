"""A process that measures one way, a volume for each line it is sent: its peak is its own."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO, final

import numpy as np
import torch

from slicenet.bench.subject import bring
from slicenet.bench.ways import AsPublished, build
from slicenet.files import writing
from slicenet.machine import matrix_speed, peak_gb

# What a new interpreter runs; the task is its one argument.
SCRIPT = (
    "import sys; from slicenet.bench.worker import work; work(sys.argv[1], sys.stdin, sys.stdout)"
)


@final
@dataclass(frozen=True)
class Task:
    """What a worker is to measure."""

    way: str  # published, float32 or bfloat16
    backbone: str
    weights: str  # file of the whole network
    threads: int
    subject: str  # file of the volume
    out: str  # file of the map

    def text(self) -> str:
        """The task as the argument of a process."""
        return json.dumps(asdict(self))


def work(task_text: str, orders: TextIO, answers: TextIO) -> None:
    """Answer each line of `orders` with one of measurements, after a first that says `ready`."""
    task = Task(**json.loads(task_text))
    torch.set_num_threads(task.threads)
    volume = bring(Path(task.subject))
    way = build(task.way, task.backbone, task.weights, volume)
    kind = torch.bfloat16 if task.way == "bfloat16" else torch.float32
    group = way.group if isinstance(way, AsPublished) else 0
    _answer(answers, {"ready": True, "group": group})
    for _ in orders:
        before = matrix_speed(kind)
        seen = way.see(volume)
        speed = max(before, matrix_speed(kind))
        with writing(Path(task.out)) as file:
            np.save(file, seen.strangeness.numpy())
        measured = {"matrix_speed": speed, "shapes": seen.shapes, "peak_gb": peak_gb()}
        _answer(answers, {**seen.stopwatch.seconds, **measured})


def _answer(answers: TextIO, content: dict[str, object]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()
