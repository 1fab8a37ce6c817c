import inspect

import pytest

from slicenet.backends import BACKENDS
from slicenet.backends.base import Backend
from slicenet.detector import Detector


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_every_backend_has_the_one_method_and_no_other(name):
    public = [n for n, _ in inspect.getmembers(BACKENDS[name], inspect.isfunction) if n[0] != "_"]
    wanted = [n for n, _ in inspect.getmembers(Backend, inspect.isfunction) if n[0] != "_"]
    assert public == wanted == ["build"]


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_building_reads_no_file(name, monkeypatch):
    def refuse(*arguments, **options):
        pytest.fail("a constructor opened a file")

    monkeypatch.setattr("builtins.open", refuse)
    assert isinstance(BACKENDS[name]().build(), Detector)
