import os
import subprocess
import sys

import pytest
import torch

from slicenet.halving import in_halves


class Machine:
    """Has memory for so many at a time, and says so as `error` has it."""

    def __init__(self, room, error):
        self.room, self.error, self.tried = room, error, []

    def work(self, batch):
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise self.error
        return batch.square()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_102_halves_are_tried_until_they_fit_and_come_in_order(error):
    machine, batch = Machine(3, error), torch.arange(11)
    found = in_halves(machine.work, batch)
    assert torch.equal(torch.cat(found), batch.square())
    assert machine.tried == [11, 5, 2, 3, 6, 3, 3]


def test_102_what_does_not_fit_alone_is_an_error_and_so_is_a_bug():
    with pytest.raises(MemoryError):
        in_halves(Machine(0, MemoryError()).work, torch.arange(4))
    stumbling = Machine(0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        in_halves(stumbling.work, torch.arange(4))
    assert stumbling.tried == [4]


@pytest.mark.parametrize("cuda", [False, True])
def test_102_a_gpu_is_given_back_what_failed_though_pictures_come_from_the_cpu(cuda, monkeypatch):
    freed, machine = [], Machine(3, RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(len(machine.tried)))
    in_halves(machine.work, torch.arange(8))
    assert machine.tried == [8, 4, 2, 2, 4, 2, 2]
    assert freed == ([1, 2, 5] if cuda else [])


STARVED = """
import resource, torch
from slicenet.halving import in_halves

def grow(batch):
    return batch.repeat(1, 2**27)[:, :1].clone()  # half a GiB for each

with open("/proc/self/statm") as file:
    held = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 3 * 2**29,) * 2)
print([part.flatten().tolist() for part in in_halves(grow, torch.ones(4, 1))])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_102_a_process_with_a_limit_on_its_memory_gets_through():
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True)
    assert done.stdout.strip() in ("[[1.0, 1.0], [1.0, 1.0]]", "[[1.0], [1.0], [1.0], [1.0]]"), done
