"""Volumes behind files, read one at a time and as often as asked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final, overload

from slicenet.cohort.case import Case
from slicenet.errors import Notice
from slicenet.images.options import ReadOptions
from slicenet.volume import Volume


@final
@dataclass(frozen=True)
class Cohort(Sequence[Volume]):
    """Cases as a sequence of volumes: each walk reads every file anew, one case in memory."""

    cases: tuple[Case, ...]  # sorted by name
    options: ReadOptions = ReadOptions()
    notices: tuple[Notice, ...] = ()  # of the search, not of the files

    @property
    def synthetic(self) -> bool:
        """Whether all cases are phantoms, which say nothing about patients."""
        return bool(self.cases) and all(case.synthetic for case in self.cases)

    @property
    def flat(self) -> bool:
        """Whether there are pictures in it, not volumes."""
        return any(case.flat for case in self.cases)

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Volume]:
        return (case.read(self.options) for case in self.cases)

    @overload
    def __getitem__(self, index: int) -> Volume: ...
    @overload
    def __getitem__(self, index: slice) -> "Cohort": ...
    def __getitem__(self, index: int | slice) -> "Volume | Cohort":
        if isinstance(index, slice):
            return replace(self, cases=self.cases[index])
        return self.cases[index].read(self.options)

    def select(self, keep: Iterable[int]) -> "Cohort":
        """The cases at these places, in the order asked for."""
        return replace(self, cases=tuple(self.cases[index] for index in keep))

    def healthy(self) -> "Cohort":
        """The cases of healthy groups; all of them where no case has any group."""
        if not any(case.group for case in self.cases):
            return self
        return replace(self, cases=tuple(case for case in self.cases if case.is_healthy))

    def only(self, group: str) -> "Cohort":
        """The cases of one group; upper and lower case are one."""
        wanted = group.casefold()
        return replace(self, cases=tuple(c for c in self.cases if c.group.casefold() == wanted))
