"""A training that is killed or asked to stop goes on with the same command, to the same model."""

import json
import multiprocessing
import os
import signal
import time

import pytest

import slicenet.training  # noqa: F401  # for the server, so that a process need not
from slicenet import savepoint
from slicenet.commands import main
from slicenet.config import merge, paths
from slicenet.stopping import CODES
from tests.tiny import TINY_FLOW, TINY_SLICES

TABLE = {
    "frame": {"spacing": [4, 4, 4]},
    "slices": merge(TINY_SLICES, {"finetune": {"lesions": {"steps": 40, "batch": 2, "settle": 1}}}),
    "flow": merge(TINY_FLOW, {"course": {"steps": 80, "batch": 128}}),
}
SETS = [word for path, value in paths(TABLE) for word in ("--set", f"{path}={json.dumps(value)}")]
PEOPLE = ("--participant-label", "00,01,02,03,04,05")
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
        words = ["train", str(brains), "--backend", "simpleslicenet", *SETS, *PEOPLE]
        words += ["--out", str(tmp_path / name), "--threads", "1", "--resume", "auto"]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
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


def ended(process, number):
    """Exit code of a process that gets this signal, and how long it takes to go."""
    began = time.monotonic()
    os.kill(process.pid, number)
    process.join()
    return process.exitcode, time.monotonic() - began


def finished(train, folder):
    """The model that is left in the end, and nothing besides that was for a time."""
    process = train(folder.name)
    process.join()
    assert process.exitcode == 0
    assert not list(folder.parent.rglob("*.partly*"))
    return (folder / "model.safetensors").read_bytes()


def test_99_and_100_killed_or_asked_to_stop_it_leaves_the_same_model(train, tmp_path):
    folder = tmp_path / "disturbed"
    for stage, step in (("finetune", 8), ("flow", 10)):
        process = train("disturbed")
        reached(process, folder, stage, step)
        assert ended(process, signal.SIGKILL)[0] == -signal.SIGKILL
        assert not (folder / "model.safetensors").exists()
        (folder / "metrics.jsonl").unlink()

    process = train("disturbed", every=1000.0)  # nothing would be kept by time alone
    reached(process, folder, "flow", 30)
    code, seconds = ended(process, signal.SIGTERM)
    assert (code, seconds < 5) == (75, True)
    asked = steps(folder)
    assert not any(stage == "finetune" for stage, _ in asked)  # the first two have learnt that
    assert 10 <= min(done for stage, done in asked if stage == "flow") < 30
    (folder / "metrics.jsonl").unlink()

    process = train("disturbed")
    reached(process, folder, "calibrate", 1)
    assert ended(process, signal.SIGKILL)[0] == -signal.SIGKILL
    assert next(one for one in steps(folder) if one[0] == "flow") == ("flow", asked[-1][1] + 1)

    assert finished(train, folder) == finished(train, tmp_path / "undisturbed")
