"""Trees of empty files named as the public sets name theirs."""

from pathlib import Path

import pytest

from slicenet.datasets import LAYOUTS, Found, recognise


@pytest.fixture
def tree(tmp_path):
    """Make empty files by their paths below one folder; names alone decide what is found."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


@pytest.fixture
def found(tree):
    """What such a tree is recognised as; no other reader may claim a scan of it."""

    def recognised(name: str, *paths: str, inside: str = "") -> Found:
        top = tree(*paths) / inside
        found = recognise(top)
        assert found is not None
        assert found.layout is LAYOUTS[name]
        return found

    return recognised
