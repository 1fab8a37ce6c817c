"""What training tells on its way: a line of JSON a step, and whoever else wants to listen."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

from slicenet import files
from slicenet.watch import Watch

Line = dict[str, Any]
KNOWN = {"stage", "done", "total", "seconds", "training"}  # what is no measurement


class Board(Protocol):
    """The part of TensorBoard's writer that is used."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None: ...


@final
@dataclass(frozen=True)
class Stage:
    """One stage of a training, step by step."""

    name: str
    total: int
    steps: tuple[int, ...]
    seconds: tuple[float, ...]  # of each step, since training began; steps that were lost left out
    values: dict[str, tuple[tuple[int, float], ...]]  # what was measured, by step


def journal(path: Path, watch: Watch, board: Board | None = None, training: str = "") -> Watch:
    """A watch that also leaves one JSON line a step, with the seconds since it began.

    What earlier runs of the same `training` have left stays.
    """
    if _training_of(path) == training:
        files.cut_line(path)
    else:
        files.remove(path)
    began = time.monotonic()

    def told(stage: str, done: int, total: int, **values: float) -> None:
        line = {"stage": stage, "done": done, "total": total, **values}
        seconds = round(time.monotonic() - began, 3)
        files.append_line(path, json.dumps({**line, "seconds": seconds, "training": training}))
        if board is not None:
            for name, value in values.items():
                board.add_scalar(f"{stage}/{name}", value, done)
        watch(stage, done, total, **values)

    return told


def read_journal(path: Path) -> tuple[Stage, ...]:
    """The stages of a training in their order; one that begins anew is another.

    A stage that a later run has taken up goes on from there.
    """
    lines: list[Line] = [json.loads(line) for line in files.read_text(path).splitlines()]
    stages: list[list[Line]] = []
    for run in _split(lines, lambda last, line: line["seconds"] < last["seconds"]):
        _take_up(stages, _split(_timed(run), _begins))
    ends = itertools.accumulate(sum(line["seconds"] for line in stage) for stage in stages)
    return tuple(_stage(stage, end) for stage, end in zip(stages, ends, strict=True))


def _training_of(path: Path) -> str | None:
    """Whose journal is there."""
    try:
        return str(json.loads(files.read_text(path).partition("\n")[0])["training"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _split(lines: Iterable[Line], begins: Callable[[Line, Line], bool]) -> list[list[Line]]:
    """Lines in parts: a line is of another one if it begins that, seen from the line before."""
    parts: list[list[Line]] = []
    for line in lines:
        if parts and not begins(parts[-1][-1], line):
            parts[-1].append(line)
        else:
            parts.append([line])
    return parts


def _begins(last: Line, line: Line) -> bool:
    return bool(line["stage"] != last["stage"] or line["done"] <= last["done"])


def _timed(run: Sequence[Line]) -> list[Line]:
    """Lines with the seconds that each took, in place of those since the run began."""
    before = [0.0, *(line["seconds"] for line in run)]
    return [
        {**line, "seconds": line["seconds"] - last} for line, last in zip(run, before, strict=False)
    ]


def _take_up(stages: list[list[Line]], run: Iterable[list[Line]]) -> None:
    """Add what a run has told, each stage in place of the steps that were done before and lost."""
    seen = Counter[str]()
    for part in run:
        name = part[0]["stage"]
        known = [stage for stage in stages if stage[0]["stage"] == name][seen[name] :]
        seen[name] += 1
        if known:
            known[0][:] = [*(line for line in known[0] if line["done"] < part[0]["done"]), *part]
        else:
            stages.append(part)


def _stage(lines: Sequence[Line], end: float) -> Stage:
    values: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in KNOWN:
                values.setdefault(name, []).append((int(line["done"]), float(value)))
    took = [line["seconds"] for line in lines]
    return Stage(
        str(lines[0]["stage"]), int(lines[-1]["total"]), tuple(int(one["done"]) for one in lines),
        tuple(end - sum(took) + done for done in itertools.accumulate(took)),
        {name: tuple(points) for name, points in values.items()},
    )  # fmt: skip
