"""What is stopped while it learns goes on to the same bits."""

import signal

import pytest
import torch

from slicenet import stopping
from slicenet.backends import BACKENDS
from slicenet.config import merge, overlay
from slicenet.learning import Framed
from slicenet.recipe import resolve
from slicenet.savepoint import Savepoint
from slicenet.watch import silent
from tests.tiny import COARSE, TINY

# Two backends share one way to learn where only what reads it differs.
LEARNING = [
    "dagmm", "msma", "siamese-residual", "simclr", "simulated", "spatial-msma", "token-msma",
    "vqvae-transformer",
]  # fmt: skip
TUNED = {"edc": "finetune.edc", "joint": "finetune.joint"}
STEPS = 4
CHEAP = "siamese-residual"  # stopped in more places than one


class Stopped(BaseException):
    """As a signal would."""


def shortened(table):
    """The same settings, but a few steps of everything that takes steps."""
    found = {
        name: shortened(value) if isinstance(value, dict) else value
        for name, value in table.items()
    }
    return {**found, "steps": STEPS} if "steps" in found else found


def extractor(name, changes):
    """A fresh extractor and its frame."""
    backend = overlay(resolve(name).backend, merge(merge(COARSE, shortened(TINY[name])), changes))
    torch.manual_seed(0)
    made = backend.build()
    return made.extractor, made.frame


def learnt(name, changes, brains, watch=silent, savepoint=Savepoint()):
    """The state of an extractor that has learnt."""
    made, frame = extractor(name, changes)
    frame.fit(brains, silent)
    made.fit(Framed(frame.enter, brains), watch, savepoint)
    return {key: held.clone() for key, held in made.state_dict().items()}


def halting(at):
    """A watch that stops whatever learns at its `at`-th step, and counts the steps."""
    seen = []

    def watch(stage, done, total, **values):
        if "loss" in values:
            seen.append(stage)
            if len(seen) == at:
                raise Stopped

    return watch, seen


CASES = [(name, {}) for name in LEARNING] + [
    ("padim", {"slices": {"finetune": {"method": method, method: {"steps": STEPS}}}})
    for method in TUNED
]
CASES.append(("spatial-msma", {"norms": {"learn": {"average": 0.9}}}))


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_it_goes_on_to_the_same_bits_wherever_it_was_stopped(name, changes, make_brain, tmp_path):
    brains = [make_brain(seed) for seed in range(5)]
    watch, steps = halting(0)
    whole = learnt(name, changes, brains, watch)
    assert len(steps) >= STEPS
    middle = len(steps) // 2 + 1
    for at in {2, middle, len(steps)} if name == CHEAP else {middle}:
        path = tmp_path / f"{at}" / "partly.safetensors"
        watch, _ = halting(at)
        with pytest.raises(Stopped):
            learnt(name, changes, brains, watch, Savepoint(path, every=0))
        watch, again = halting(0)
        savepoint = Savepoint(path)
        state = learnt(name, changes, brains, watch, savepoint)
        assert len(again) == len(steps) - at + 1  # the last step was not kept
        assert all(torch.equal(state[key], held) for key, held in whole.items())
        savepoint.clear()
        assert not list(path.parent.iterdir())


@pytest.mark.parametrize("name", ["siamese-residual", "simulated"])  # each loop of its own
def test_100_who_is_asked_to_stop_in_a_step_keeps_that_step(name, make_brain, tmp_path):
    brains, seen = [make_brain(seed) for seed in range(5)], []

    def watch(stage, done, total, **values):
        seen.append(stage)
        if "loss" in values and len(seen) == 2:
            signal.raise_signal(signal.SIGTERM)

    savepoint = Savepoint(tmp_path / "partly.safetensors", every=1000)
    with pytest.raises(stopping.Stopped), stopping.stoppable():
        learnt(name, {}, brains, watch, savepoint)
    assert any(tmp_path.iterdir())


def test_every_backend_that_learns_by_steps_is_looked_at():
    with torch.device("meta"):  # nothing is made, and no weights are read
        learning = {name for name in BACKENDS if BACKENDS[name]().build().extractor.learns}
    same = {
        "simpleslicenet": "simulated", "siamese-lof": "siamese-residual",
        "siamese-ocsvm": "siamese-residual", "vqvae-residual": "vqvae-transformer",
        "vqvae-gnsm": "vqvae-transformer",
    }  # fmt: skip
    assert {same.get(name, name) for name in learning} == set(LEARNING)
