"""What this machine offers to a computation, and what a container leaves of it."""

import math
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

ROOT = Path("/")


@final
@dataclass(frozen=True)
class Memory:
    """Main memory in bytes, as far as this process may use it; 0 where the system keeps it."""

    total: int
    available: int


def processor(root: Path = ROOT) -> str:
    """The name of the CPU."""
    for line in _lines(root / "proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores(root: Path = ROOT) -> float:
    """Cores that this process may keep busy: by its affinity, and by the quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min([float(allowed or 1), *_quotas(root)])


def memory(root: Path = ROOT) -> Memory:
    """Memory that this process may use, within the limit of its container."""
    fields = dict(line.split(":", 1) for line in _lines(root / "proc/meminfo") if ":" in line)
    sizes = [int(fields.get(name, "0").split()[0]) * 1024 for name in ("MemTotal", "MemAvailable")]
    if not sizes[0] and "SC_PHYS_PAGES" in os.sysconf_names:
        sizes[0] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    # An absent limit reads as "max", or as a number beyond any memory.
    limits = [limit for file in ("memory.max", "memory.limit_in_bytes")
              for limit in _numbers(root, file)]  # fmt: skip
    return Memory(*(int(min([size, *limits])) for size in sizes))


def peak_gb(root: Path = ROOT) -> float:
    """What this process has held at its fullest, in GB, libraries included."""
    for line in _lines(root / "proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e9
    # Where the system keeps no such line; Linux counts into this one what the parent held when it
    # started the process.
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def matrix_speed(kind: torch.dtype, size: int = 1024) -> float:
    """Operations a second, two for each multiplication, of a matrix product on the CPU."""
    matrix = torch.ones(size, size, dtype=kind)
    return 2 * size**3 / min(_seconds(matrix) for _ in range(5))


def bfloat16_speed(size: int = 768) -> float:
    """How many times faster than in float32 a matrix product is in bfloat16, on the CPU."""
    seconds = []
    for kind in (torch.float32, torch.bfloat16):
        matrix = torch.ones(size, size, dtype=kind)
        seconds.append(min(_seconds(matrix) for _ in range(3)))
    return seconds[0] / seconds[1]


def _seconds(matrix: torch.Tensor) -> float:
    began = time.perf_counter()
    matrix @ matrix
    return time.perf_counter() - began


def _quotas(root: Path) -> Iterator[float]:
    for folder in _control_groups(root):
        for line in _lines(folder / "cpu.max"):  # version 2: quota and period
            quota, period = line.split()
            if quota != "max":
                yield float(quota) / float(period)
    # Version 1: one number a file, the quota -1 where there is none.
    quotas, periods = (_numbers(root, f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    yield from (quota / period for quota, period in zip(quotas, periods, strict=False) if quota > 0)


def _numbers(root: Path, file: str) -> Iterator[float]:
    for folder in _control_groups(root):
        for line in _lines(folder / file):
            yield math.inf if line == "max" else float(line)


def _control_groups(root: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, and of those around them."""
    mount = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, group = line.split(":", 2)
        # Version 1 has a tree for each controller; version 2 a single one, without a name.
        tree = mount / controllers if controllers else mount
        inner = tree / group.lstrip("/")
        yield from (inner, *(place for place in inner.parents if place.is_relative_to(tree)))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:  # another system, or a container that shows less
        return []
