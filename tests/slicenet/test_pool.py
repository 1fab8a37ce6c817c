import math
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import forkserver

import pytest

from slicenet.errors import ConfigError
from slicenet.pool import usual_workers, work_through

CHORES = """
import os, resource, signal, time
import numpy as np

def kill_at_two(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * 10

def be_asked(number):
    os.kill(os.getpid(), (signal.SIGUSR1, signal.SIGTERM)[number == 2])
    time.sleep(0.1)
    return number * 10

def starve_at_two(number):
    if number == 2:
        limit = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, limit[1]))
        try:
            return np.ones(2**40).sum()
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limit)
    return number * 10

def refuse(number):
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

def threads(number):
    import torch
    return torch.get_num_threads()

def asked(number):
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGINT)
    return number

def crash(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return number

def wait(number):
    open(f"began-{number}", "w").close()
    try:
        time.sleep(60)
    finally:
        open(f"cleared-{number}", "w").close()
"""
ORPHANS = """
import os, time
from slicenet.pool import work_through
work_through([30, 30], time.sleep, 2, print, None)
"""
METHODS = """
import math, multiprocessing
from slicenet.pool import work_through
for method in ("fork", "spawn", "forkserver"):
    multiprocessing.set_start_method(method, force=True)
    print(method, work_through([9, 4], math.isqrt, 2, lambda done: None, None))
"""


def ignore(done):
    pass


def as_text(task, error):
    return f"{task}: {error.message} [{error.code}]"


@pytest.fixture
def chores(as_module):
    return as_module("chores", CHORES)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_results_come_in_order_and_each_is_told(workers):
    told = []
    roots = work_through([16, 9, 4], math.isqrt, workers, told.append, as_text)
    assert roots == [4, 3, 2]
    assert told == [1, 2, 3]


def test_an_error_in_a_worker_is_raised_here():
    with pytest.raises(ValueError, match="nonnegative"):
        work_through([4, -1], math.isqrt, 2, ignore, as_text)


@pytest.mark.parametrize("tasks", [[9], [9, 9]])
def test_a_worker_that_dies_takes_nothing_down_even_where_its_task_is_alone(tasks):
    found = work_through(tasks, os._exit, 2, ignore, as_text)
    assert found == ["9: its process ended with 9; why stands above [E_CRASHED]"] * len(tasks)


def test_what_is_raised_of_a_task_that_was_lost_ends_the_rest(chores):
    def refuse(task, error):
        raise ConfigError(f"{task} is gone")

    with pytest.raises(ConfigError, match="2 is gone"):
        work_through(range(9), chores.kill_at_two, 2, ignore, refuse)


def test_no_task_starts_no_process(monkeypatch):
    monkeypatch.setattr(forkserver, "ensure_running", None)
    assert work_through([], math.isqrt, 2, ignore, as_text) == []


def test_a_task_that_is_alone_gets_no_worker_unless_asked_for():
    assert usual_workers(0) <= usual_workers(1) == 1 <= usual_workers(9) <= 2


def test_103_a_worker_that_is_killed_loses_its_own_task_and_no_other(chores):
    told = []
    found = work_through(range(5), chores.kill_at_two, 2, told.append, as_text)
    assert found[:2] + found[3:] == [0, 10, 30, 40]
    assert found[2].startswith("2: its process was killed (SIGKILL)")
    assert found[2].endswith("[E_MEMORY]")
    assert told == [1, 2, 3, 4, 5]


def test_103_a_worker_that_is_asked_to_end_is_reported_by_the_signal(chores):
    found = work_through(range(4), chores.be_asked, 2, ignore, as_text)
    assert found == [0, 10, "2: its process was ended by SIGTERM [E_CRASHED]", 30]


@pytest.mark.parametrize("workers", [0, 2])
def test_102_a_task_without_memory_is_lost_and_its_worker_goes_on(chores, workers):
    found = work_through([1, 2, 3, 4], chores.starve_at_two, workers, ignore, as_text)
    assert [found[0], *found[2:]] == [10, 30, 40]
    assert found[1].startswith("2: out of memory (Unable to allocate 8.00 TiB")


def test_102_what_torch_says_of_memory_is_known(chores):
    (found,) = work_through([1], chores.refuse, 0, ignore, as_text)
    assert found == "1: out of memory (DefaultCPUAllocator: can't allocate memory) [E_MEMORY]"


def test_who_stops_here_stops_them_and_lets_them_clear_up(chores, tmp_path):
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    caller = os.getpid()

    def interrupt():
        while len(list(tmp_path.glob("began-*"))) < 2:
            time.sleep(0.05)
        os.kill(caller, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        work_through([1, 2, 3], chores.wait, 2, ignore, as_text)
    assert {path.name for path in tmp_path.glob("*-*")} == {
        "began-1", "began-2", "cleared-1", "cleared-2",
    }  # fmt: skip
    assert not before or set(os.listdir("/dev/shm")) <= before


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


def test_h107_workers_compute_with_one_thread_each(chores):
    assert work_through([1, 2], chores.threads, 2, ignore, as_text) == [1, 1]


def test_100_workers_leave_it_to_their_parent_when_to_stop(chores):
    assert work_through([1, 2, 3], chores.asked, 2, ignore, lost=as_text) == [1, 2, 3]


def test_103_another_signal_is_named_and_not_taken_for_want_of_memory(chores):
    found = work_through([1, 2, 3], chores.crash, 2, ignore, lost=as_text)
    assert found == [1, "2: its process was ended by SIGSEGV [E_CRASHED]", 3]
