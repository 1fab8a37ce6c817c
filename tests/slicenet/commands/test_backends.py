import json

from slicenet.backends import BACKENDS


def test_every_backend_is_listed_with_what_it_does(slicenet):
    done = slicenet("backends")
    assert all(name in done.stdout for name in BACKENDS)
    assert set(json.loads(slicenet("backends", "--json").stdout)) == set(BACKENDS)
