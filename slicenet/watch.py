"""How long work tells the outside world how it is going."""

from typing import Protocol


class Watch(Protocol):
    """Called after each step of a stage: `done` of `total` steps, and what was measured."""

    def __call__(self, stage: str, done: int, total: int, **values: float) -> None: ...


def silent(stage: str, done: int, total: int, **values: float) -> None:
    """Tell nobody."""
