"""What training tells on its way: a line of JSON a step, and whoever else wants to listen."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from slicenet import files
from slicenet.watch import Watch


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
    seconds: tuple[float, ...]  # of each step, since training began
    values: dict[str, tuple[tuple[int, float], ...]]  # what was measured, by step


def journal(path: Path, watch: Watch, board: Board | None = None) -> Watch:
    """A watch that also leaves one JSON line a step, with the seconds since it began."""
    files.remove(path)
    began = time.monotonic()

    def told(stage: str, done: int, total: int, **values: float) -> None:
        line = {"stage": stage, "done": done, "total": total, **values}
        seconds = round(time.monotonic() - began, 3)
        files.append_line(path, json.dumps({**line, "seconds": seconds}))
        if board is not None:
            for name, value in values.items():
                board.add_scalar(f"{stage}/{name}", value, done)
        watch(stage, done, total, **values)

    return told


def read_journal(path: Path) -> tuple[Stage, ...]:
    """The stages of a training in their order; one that begins anew is another."""
    lines = [json.loads(line) for line in files.read_text(path).splitlines()]
    parts: list[list[dict[str, float]]] = []
    for line in lines:
        before = parts[-1][-1] if parts else None
        if before and line["stage"] == before["stage"] and line["done"] > before["done"]:
            parts[-1].append(line)
        else:
            parts.append([line])
    return tuple(_stage(part) for part in parts)


def _stage(lines: Sequence[dict[str, float]]) -> Stage:
    values: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("stage", "done", "total", "seconds"):
                values.setdefault(name, []).append((int(line["done"]), float(value)))
    return Stage(
        str(lines[0]["stage"]), int(lines[-1]["total"]), tuple(int(one["done"]) for one in lines),
        tuple(float(one.get("seconds", 0)) for one in lines),
        {name: tuple(points) for name, points in values.items()},
    )  # fmt: skip
