import re

import pytest

from slicenet.backends import BACKENDS
from slicenet.demo import all_commands, methods, preparations, report
from slicenet.recipe import resolve


def test_simpleslicenet_and_the_baselines_are_trained_scored_and_evaluated(tmp_path):
    groups = methods(tmp_path)
    assert {"simpleslicenet", "zscore", "histeq"} <= set(groups) <= set(BACKENDS)
    for name, group in groups.items():
        assert [words[0] for words in group] == ["train", "score", "evaluate"]
        train = group[0]
        assert resolve(train[train.index("--backend") + 1]).name == name


def test_what_is_tested_is_never_learnt_from(tmp_path):
    learnt, tested = (words[1] for words in preparations(tmp_path, 0))
    for train, score, evaluate in methods(tmp_path).values():
        assert learnt in train
        assert learnt not in score + evaluate
        assert tested in score
    assert report(tmp_path)[2:] == ["--truth", tested]
    seeds = [words[words.index("--seed") + 1] for words in preparations(tmp_path, 0)]
    assert seeds[0] != seeds[1]


def test_the_commands_are_quoted_for_a_shell(tmp_path):
    lines = all_commands(tmp_path / "my demo")
    assert all(line.startswith("slicenet ") for line in lines)
    assert any("'frame.spacing=[2,2,2]'" in line for line in lines)
    assert all(re.search(r"'[^']*my demo[^']*'", line) for line in lines)


@pytest.mark.parametrize("word", ["--threshold", "best"])
def test_no_threshold_is_chosen_in_the_demo(tmp_path, word):
    assert not any(word in line for line in all_commands(tmp_path))
