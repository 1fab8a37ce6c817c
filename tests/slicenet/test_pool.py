import math
import os
import signal
import subprocess
import sys
import time

import pytest

from slicenet.errors import ResourceError
from slicenet.pool import work_through

ORPHANS = """
import os, time
from slicenet.pool import work_through
work_through([30, 30], time.sleep, 2, print, imports=[])
"""
METHODS = """
import math, multiprocessing
from slicenet.pool import work_through
for method in ("fork", "spawn", "forkserver"):
    multiprocessing.set_start_method(method, force=True)
    print(method, work_through([9, 4], math.isqrt, 2, lambda done: None))
"""


def ignore(done):
    pass


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_each_is_told(workers):
    told = []
    roots = work_through([16, 9, 4], math.isqrt, workers, told.append)
    assert roots == [4, 3, 2]
    assert told == [1, 2, 3]


def test_an_error_in_a_worker_is_raised_here():
    with pytest.raises(ValueError, match="nonnegative"):
        work_through([4, -1], math.isqrt, 2, ignore)


def test_a_worker_that_dies_is_reported_with_what_would_help():
    with pytest.raises(ResourceError, match="workers"):
        work_through([9, 9], os._exit, 2, ignore)


def children(parent):
    """Process ids whose ancestor is `parent`."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                above = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if above == parent:
            found += [int(entry), *children(int(entry))]
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_workers_do_not_outlive_a_parent_that_was_killed():
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS])
    deadline = time.monotonic() + 60
    while len(children(parent.pid)) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)  # a resource tracker, the server and two workers
    time.sleep(1)
    born = children(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert len(born) >= 4
    while any(os.path.exists(f"/proc/{one}") for one in born) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [one for one in born if os.path.exists(f"/proc/{one}")] == []


def test_h105_work_is_spread_however_processes_start_and_without_a_guard():
    done = subprocess.run([sys.executable, "-c", METHODS], capture_output=True, text=True)
    assert done.stdout == "fork [3, 2]\nspawn [3, 2]\nforkserver [3, 2]\n", done.stderr
