"""The worked example of CONTRIBUTING.md, taken at its word."""

import importlib.util
import re
from pathlib import Path

import pytest

from slicenet.backends import BACKENDS
from slicenet.cache import Cache
from slicenet.config import overlay

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """The class in the example's file, made a module of its own."""
    file, line = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    path = tmp_path_factory.mktemp("example") / "texture_zscore.py"
    path.write_text(file)
    spec = importlib.util.spec_from_file_location("texture_zscore", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, re.search(r'"texture-zscore": (\w+),', line)[1])


def test_the_example_detects_after_one_file_and_one_line(backend, make_brain, tmp_path):
    detector = overlay(backend(), {"frame": {"spacing": [4, 4, 4]}, "texture": {"cell": 8}}).build()
    detector.fit([make_brain(seed) for seed in range(5)], cache=Cache(tmp_path))
    healthy, lesioned = (detector.score(make_brain(9, lesion=one)) for one in (False, True))
    assert lesioned.worst() > healthy.worst()


def test_the_example_is_not_a_backend_already(backend):
    assert backend.__name__ not in {one.__name__ for one in BACKENDS.values()}


def test_every_make_target_that_is_named_exists():
    named = set(re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets
