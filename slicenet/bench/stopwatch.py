"""Seconds by stage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final


@final
class Stopwatch:
    """Seconds of each stage of one piece of work, which stages may make up in turns."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as `name`."""
        began = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that were measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
