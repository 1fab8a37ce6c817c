import errno
import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver

import numpy as np
import pytest

from slicenet import stopping
from slicenet.apart import death, work_apart
from slicenet.errors import ConfigError, ResourceError, SlicenetError
from slicenet.machine import peak_gb

DEEDS = """
import errno, os, signal, time
from slicenet import stopping
from slicenet.errors import ConfigError
from slicenet.machine import peak_gb

def dig(watch):
    watch("dig", 1, 2, depth=0.5)
    watch("dig", 2, 2)

def weigh(watch):
    watch("weigh", os.getpid(), 0, peak=peak_gb())

def refuse(watch):
    raise ConfigError("no spade", "E_SETTING", "bring one")

def fill(watch):
    raise OSError(errno.ENOSPC, "No space left on device", "hole")

def exhaust(watch):
    raise MemoryError("too deep")

def stumble(watch):
    raise ValueError("a stone nobody foresaw")

def die(watch):
    os.kill(os.getpid(), signal.SIGKILL)

def be_asked(watch):
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
        watch("asked", number, 0)
        os.kill(os.getpid(), number)
        time.sleep(0.1)

def stay(watch):  # and never look
    stopping.GRACE = 0.2
    with stopping.deferred():
        be_asked(watch)
        time.sleep(60)

def learn(watch):
    with stopping.deferred():
        while True:
            watch("learn", os.getpid(), 0)
            time.sleep(0.5)
            if stopping.asked():
                open("kept", "w").close()
            stopping.look()

def wait(watch):
    try:
        watch("wait", os.getpid(), 0)
        time.sleep(60)
    finally:
        open("cleared", "w").close()
"""
ORPHAN = """
import deeds
from slicenet.apart import work_apart
work_apart(deeds.wait, lambda stage, done, total: print(done, flush=True))
"""

GROUP = """
import sys
import deeds
from slicenet import stopping
from slicenet.apart import work_apart
try:
    with stopping.stoppable():
        work_apart(deeds.learn, lambda stage, done, total: print(done, flush=True))
except stopping.Stopped as stop:
    sys.exit(stop.exit_code)
"""


@pytest.fixture
def deeds(as_module):
    return as_module("deeds", DEEDS)


def gone(process):
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{process}") and time.monotonic() < deadline:
        time.sleep(0.05)
    return not os.path.exists(f"/proc/{process}")


def test_a_server_that_cannot_start_leaves_signals_as_they_were(deeds, monkeypatch):
    def refuse():
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(forkserver, "ensure_running", refuse)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(BlockingIOError):
        work_apart(deeds.dig)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_its_steps_are_heard_here_in_order(deeds):
    heard = []
    work_apart(deeds.dig, lambda *step, **values: heard.append((*step, values)))
    assert heard == [("dig", 1, 2, {"depth": 0.5}), ("dig", 2, 2, {})]


def test_its_memory_is_its_own(deeds):
    heard, held = [], np.ones(10**8)  # 0.8 GB
    work_apart(deeds.weigh, lambda stage, done, total, peak: heard.append((done, peak)))
    assert heard[0][0] != os.getpid()
    assert heard[0][1] < peak_gb() - 0.3
    assert held.all()


def test_its_errors_are_raised_here_with_all_they_say(deeds):
    with pytest.raises(ConfigError) as refused:
        work_apart(deeds.refuse)
    assert (refused.value.message, refused.value.code, refused.value.hint) == (
        "no spade", "E_SETTING", "bring one",
    )  # fmt: skip
    with pytest.raises(OSError, match="No space left") as full:
        work_apart(deeds.fill)
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, "hole")
    with pytest.raises(ResourceError, match="too deep"):
        work_apart(deeds.exhaust)


def test_a_bug_leaves_its_traceback_and_an_error_of_its_own(deeds):
    with pytest.raises(SlicenetError) as crashed:
        work_apart(deeds.stumble)
    assert crashed.value.code == "E_CRASHED"


def test_a_process_that_is_killed_is_reported_by_the_signal(deeds):
    with pytest.raises(ResourceError, match="SIGKILL") as killed:
        work_apart(deeds.die)
    assert killed.value.code == "E_MEMORY"


@pytest.mark.parametrize("deed", ["be_asked", "stay"])
def test_it_heeds_its_parents_signal_alone_and_is_reported_by_it(deeds, deed):
    heard = []
    with pytest.raises(SlicenetError, match="was ended by SIGTERM"):
        work_apart(getattr(deeds, deed), lambda stage, number, total: heard.append(number))
    assert heard == [signal.SIGUSR1, signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize(
    ("code", "said"), [(9, "ended with 9; why"), (-6, "by SIGABRT"), (-40, "by signal 40")]
)
def test_every_end_has_a_name(code, said):
    assert said in str(death(code))


def test_who_stops_here_stops_it_there_and_lets_it_clear_up(deeds, tmp_path):
    heard = []

    def interrupt(stage, done, total):
        heard.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_apart(deeds.wait, interrupt)
    assert gone(heard[0])
    assert (tmp_path / "cleared").exists()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_it_does_not_outlive_a_parent_that_was_killed(deeds, tmp_path):
    path = os.pathsep.join([str(tmp_path), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    with parent:
        process = int(parent.stdout.readline())
        assert os.path.exists(f"/proc/{process}")
        parent.send_signal(signal.SIGKILL)
    assert gone(process)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_100_a_whole_group_is_asked_to_stop_and_what_learns_in_it_is_kept(deeds, tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", GROUP], stdout=subprocess.PIPE, text=True, process_group=0,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    with parent:
        process = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGUSR1)  # as Slurm does
        parent.stdout.read()
    assert parent.returncode == stopping.PREEMPTED
    assert (tmp_path / "kept").exists()
    assert gone(process)
