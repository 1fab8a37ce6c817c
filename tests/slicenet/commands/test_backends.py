import json

from slicenet import presets
from slicenet.backends import BACKENDS


def test_every_backend_is_listed_with_what_it_does(slicenet):
    done = slicenet("backends")
    assert all(name in done.stdout for name in BACKENDS)
    told = json.loads(slicenet("backends", "--json").stdout)
    assert set(told["backends"]) == set(BACKENDS)
    assert set(told["presets"]) == set(presets.names())
    assert all(text in done.stdout for text in told["presets"].values())


def test_the_list_has_a_line_for_each(slicenet):
    lines = slicenet("backends").stdout.splitlines()
    assert len(lines) == len(BACKENDS) + len(presets.names()) + 4
