"""A training that is killed or asked to stop goes on with the same command, to the same model."""

import itertools
import json
import multiprocessing
import os
import signal
import time

import pytest

from slicenet import savepoint
from slicenet.commands import main
from slicenet.config import merge, paths
from slicenet.stopping import CODES
from tests.tiny import COARSE, TINY_FLOW, TINY_SLICES

BRIEF = {"lesions": {"steps": 30, "batch": 2, "settle": 2}, "each": 4}
TABLE = merge(
    merge(COARSE, {"slices": TINY_SLICES, "flow": TINY_FLOW}), {"slices": {"finetune": BRIEF}}
)
SETS = [word for path, value in paths(TABLE) for word in ("--set", f"{path}={json.dumps(value)}")]
PATIENCE = 60.0  # seconds until a step is reached, on a machine that is busy with other things


def work(words, cache, every):
    """One command in a process of its own."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, CODES)  # if the server was another's
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)
    os.environ["SLICENET_CACHE"] = str(cache)
    savepoint.EVERY = every
    main(words, standalone_mode=False)


@pytest.fixture
def train(brains, tmp_path):
    """Begin the training in a folder, or go on with it; what is learnt is kept every so often."""
    processes = []

    def begin(name, every=0.0):
        words = ["train", str(brains), "--backend", "simpleslicenet", *SETS, "--seed", "1"]
        words += ["--out", str(tmp_path / name), "--threads", "1", "--resume", "auto"]
        context = multiprocessing.get_context("forkserver")
        process = context.Process(target=work, args=(words, tmp_path / f"{name}-cache", every))
        process.start()
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.join()


def steps(folder):
    """What the run that goes on, or ended last, has told by now: stages and their steps."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    told = [json.loads(line) for line in lines if line.endswith("\n")]
    return [(line["stage"], line["done"]) for line in told]


def reached(process, folder, stage, step):
    """Wait until it has told of this step or a later one."""
    end = time.monotonic() + PATIENCE
    while not any(name == stage and done >= step for name, done in steps(folder)):
        assert process.exitcode is None
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed():
    """The model of a run that nobody disturbs, once there is one."""
    return {}


def finished(train, folder):
    process = train(folder.name)
    process.join()
    assert process.exitcode == 0
    assert not list(folder.parent.rglob("*.partly*"))
    assert not list(folder.glob(".tmp-*"))
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def wanted(undisturbed, train, tmp_path):
    if not undisturbed:
        undisturbed["model"] = finished(train, tmp_path / "undisturbed")
    return undisturbed["model"]


def test_99_killed_in_every_stage_it_leaves_the_same_model(train, tmp_path, wanted):
    folder = tmp_path / "killed"
    for stage, step in (("finetune", 12), ("flow", 50), ("calibrate", 2)):
        (folder / "metrics.jsonl").unlink(missing_ok=True)
        process = train("killed")
        reached(process, folder, stage, step)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (folder / "model.safetensors").exists()
    again = steps(folder)  # of the third, which the first two have left little to learn
    assert not any(stage == "finetune" for stage, _ in again)
    assert min(done for stage, done in again if stage == "flow") >= 50
    assert finished(train, folder) == wanted


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_100_asked_to_stop_it_keeps_the_step_that_it_is_at(train, tmp_path, wanted, number, code):
    folder = tmp_path / "asked"
    stage, step = ("flow", 20) if number == signal.SIGTERM else ("finetune", 5)
    process = train("asked", every=1000.0)  # nothing would be kept by time alone
    reached(process, folder, stage, step)
    began = time.monotonic()
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == code
    assert time.monotonic() - began < 5
    before = steps(folder)[-1]
    assert before[0] == stage
    (folder / "metrics.jsonl").unlink()
    assert finished(train, folder) == wanted
    after = next(told for told in steps(folder) if told[0] == stage)
    assert after == (stage, before[1] + 1)
    firsts = [name for name, _ in itertools.groupby(steps(folder), lambda told: told[0])]
    assert ("finetune" in firsts) == (stage == "finetune")
