"""Volumes of a cohort in their order, the next one read while the last is worked on."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import final

from slicenet.volume import Volume


@final
class Reader:
    """Reads on a thread of its own where `ahead`, which holds one volume more in memory.

    That pays where another device computes; a CPU has its hands full.
    """

    def __init__(self, volumes: Sequence[Volume], ahead: bool) -> None:
        self._volumes = volumes
        self._pool = ThreadPoolExecutor(1) if ahead else None
        self._waiting: dict[int, Future[Volume]] = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, place: int) -> Volume:
        """The volume at a place; what is wrong with it is raised here, and at no other place."""
        if self._pool is None:
            return self._volumes[place]
        # A place that was passed over is read for nothing.
        found = self._waiting.pop(place, None) or self._begin(place)
        self._waiting = {}
        if place + 1 < len(self._volumes):
            self._waiting[place + 1] = self._begin(place + 1)
        return found.result()

    def _begin(self, place: int) -> Future[Volume]:
        assert self._pool is not None
        return self._pool.submit(self._volumes.__getitem__, place)
