from collections import Counter

import numpy as np
import pytest
from hypothesis import strategies as st

from slicenet.errors import ConfigError
from tests import fuzzing
from tests.fuzzed_images import IMAGES
from tests.fuzzed_texts import TEXTS
from tests.fuzzing import BreachError, Target, attempt, explore

FEW = 50  # examples of each; `make fuzz` has 10 000
EVERY = (*IMAGES, *TEXTS)


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_whatever_comes_is_taken_or_refused_in_words(target, tmp_path):
    seen = Counter()
    explore(target, tmp_path, FEW, True, seen)
    assert seen.total() >= FEW
    assert "ok" in seen
    assert any(code.startswith("E_") for code in seen)


def test_the_shares_of_the_targets_make_a_whole():
    assert sum(target.share for target in EVERY) == 100


def stumble(value, folder):
    raise ValueError("a stone nobody foresaw")


def mumble(value, folder):
    raise ConfigError("", "E_SETTING")


def hoard(value, folder):
    np.empty(fuzzing.MEMORY // 4)  # twice as much


def linger(value, folder):
    while True:
        pass


def aimed(enter):
    return Target("it", st.integers(), enter, 100)


@pytest.mark.parametrize(
    ("enter", "words"), [(stumble, "a stone"), (mumble, "without words"), (hoard, "MemoryError")]
)
def test_a_breach_is_noticed_and_ends_the_search(tmp_path, enter, words):
    with pytest.raises(BreachError, match=words):
        attempt(aimed(enter), 0, tmp_path)
    with pytest.raises(BreachError, match=words):
        explore(aimed(enter), tmp_path, 5, True, Counter())


def test_what_hangs_is_broken_off(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "PATIENCE", 1)
    with pytest.raises(BreachError, match="no answer"):
        attempt(aimed(linger), 0, tmp_path)


def test_what_takes_too_long_is_a_breach_although_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "SECONDS", 0.0)
    with pytest.raises(BreachError, match="took"):
        attempt(aimed(lambda value, folder: sum(range(10**6))), 0, tmp_path)
