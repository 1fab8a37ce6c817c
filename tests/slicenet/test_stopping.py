import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from slicenet.stopping import CODES, GRACE, Stopped, asked, deferred, look, stoppable

RUN = """
import hashlib, os, signal, sys, time
from slicenet import stopping
stopping.GRACE = float(sys.argv[2])

def wait():
    time.sleep(60)

def step():
    with stopping.deferred():
        while True:
            time.sleep(0.3)
            print("whole", flush=True)
            stopping.look()

def dwell():  # never looks
    with stopping.deferred():
        time.sleep(60)

def compute():  # one call into C, which hears of no signal
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)

try:
    with stopping.stoppable():
        print("ready", flush=True)
        globals()[sys.argv[1]]()
except stopping.Stopped as stop:
    sys.exit(stop.exit_code)
finally:
    print("cleared", flush=True)
"""


def begun(deed, heeding=True, grace=0.5):
    """A process that is at work, and not in the background of a shell unless so wanted."""
    handler = signal.SIG_DFL if heeding else signal.SIG_IGN
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, deed, str(grace)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
    )  # fmt: skip
    assert run.stdout.readline() == "ready\n"
    time.sleep(0.1)
    return run


def ended(run, *numbers):
    """Exit code, what it said, and seconds from the first signal on."""
    began = time.monotonic()
    for number in numbers:
        run.send_signal(number)
        time.sleep(0.05)
    said, _ = run.communicate(timeout=30)
    return run.returncode, said.split(), time.monotonic() - began


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_a_signal_ends_work_at_once_and_what_clears_up_runs(number, code):
    code_seen, said, _ = ended(begun("wait"), number)
    assert (code_seen, said) == (code, ["cleared"])


def test_a_loop_that_looks_ends_with_its_step_whole():
    code, said, _ = ended(begun("step"), signal.SIGTERM)
    assert (code, said[-2:]) == (75, ["whole", "cleared"])


@pytest.mark.parametrize("deed", ["dwell", "compute"])
def test_what_never_looks_is_ended_all_the_same(deed):
    code, said, seconds = ended(begun(deed), signal.SIGUSR1)
    assert (code, said) == (75, [])
    assert 0.5 <= seconds < 10


def test_101_a_second_interrupt_ends_at_once():
    code, said, seconds = ended(begun("dwell", grace=20), signal.SIGINT, signal.SIGINT)
    assert (code, said, seconds < 10) == (130, [], True)


def test_a_second_request_of_another_kind_changes_nothing():
    code, said, _ = ended(begun("step"), signal.SIGUSR1, signal.SIGTERM)
    assert (code, said[-2:]) == (75, ["whole", "cleared"])


def test_what_a_shell_has_put_in_the_background_leaves_the_interrupt_to_others():
    run = begun("wait", heeding=False)
    run.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert run.poll() is None
    assert ended(run, signal.SIGTERM)[0] == 75


def test_what_was_ignored_before_stays_so():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGUSR1)
            assert not asked()
    finally:
        signal.signal(signal.SIGUSR1, before)


def interrupted():
    with stoppable(), stoppable():  # as in a demo, whose commands are of this process
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(10)


def test_afterwards_signals_and_threads_are_as_before():
    before = [signal.getsignal(number) for number in CODES], threading.active_count()
    with pytest.raises(Stopped, match="SIGUSR1"):
        interrupted()
    assert ([signal.getsignal(number) for number in CODES], threading.active_count()) == before
    assert not asked()
    with stoppable():
        look()  # a request of before is forgotten


def test_a_request_waits_within_a_loop_and_those_inside_it():
    passed = []

    def loops():
        with stoppable(), deferred():
            with deferred():
                signal.raise_signal(signal.SIGTERM)
                passed.append(asked())
            passed.append(asked())
            with pytest.raises(Stopped):
                look()

    with pytest.raises(Stopped) as stop:
        loops()
    assert stop.value.exit_code == 75
    assert passed == [True, True]


def test_beside_the_main_thread_nothing_is_heeded():
    found = []

    def work():
        with stoppable():
            found.append([signal.getsignal(number) for number in CODES])

    thread = threading.Thread(target=work)
    before = [signal.getsignal(number) for number in CODES]
    thread.start()
    thread.join()
    assert found == [before]


def test_100_what_never_looks_is_ended_within_five_seconds():
    assert 0 < GRACE < 5
