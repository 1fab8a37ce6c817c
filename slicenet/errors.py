"""What can go wrong for a user. Everything else is a bug and may traceback.

SlicenetError
├── ConfigError       2  a setting or an option is unknown, or has the wrong type
├── NoInputError      4  nothing that could be worked on
├── VolumeError       4  a file is not a volume that we can use (3 when others could be)
├── CheckpointError   5  a model, weights or calibration is missing, damaged or foreign
├── ResourceError     6  memory, disk or quota ran out
└── LockedError       7  another run writes to the same place
"""

import errno
import re
from dataclasses import dataclass
from typing import ClassVar, Self

# Of a disk that is full, or of one that is failing: nothing that another path would mend.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# What torch and the libraries beneath it say in errors that have no type of their own. A oneDNN
# primitive that cannot be made had no room; one that cannot be described would never have run.
FULL = re.compile(
    "out of memory|allocate memory|not enough memory|bad_alloc|_alloc_failed"
    "|could not create a (memory object|primitive(?! descriptor))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Notice:
    """Something a user should know that stops nothing; `code` starts with `W_`."""

    code: str
    message: str


class SlicenetError(Exception):
    """Base of every error that the command line prints without a traceback."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, code: str = "E_FAILED", hint: str = "") -> None:
        super().__init__(message)
        self.message = message  # where, and what was seen there
        self.code = code  # stable, for machines
        self.hint = hint  # what would help; empty if nothing would

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def alone(self) -> Self:
        """Itself, to be kept: without the frames that it came through, which hold arrays."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)


class ConfigError(SlicenetError):
    """A setting or an option is unknown, or has the wrong type."""


class NoInputError(SlicenetError):
    """There is nothing that could be worked on."""

    exit_code = 4


class VolumeError(SlicenetError):
    """A file is not a volume that we can use."""

    exit_code = 4


class CheckpointError(SlicenetError):
    """A model, weights or a calibration is missing, damaged or foreign."""

    exit_code = 5


class ResourceError(SlicenetError):
    """Memory, disk or quota ran out."""

    exit_code = 6


class LockedError(SlicenetError):
    """Another run writes to the same place."""

    exit_code = 7


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on whichever device."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and FULL.search(str(error)) is not None)
    )
