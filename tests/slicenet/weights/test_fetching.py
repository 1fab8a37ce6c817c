import hashlib
import io
import os
import time

import pytest
import torch

from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import ABANDONED, TEMPORARY
from slicenet.weights import fetching, known
from slicenet.weights.fetching import fetch
from slicenet.weights.known import KnownWeights
from slicenet.weights.store import held, load


@pytest.fixture
def body(tensors) -> bytes:
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


@pytest.fixture
def mirror(server, body) -> str:
    """The address of a whole file."""
    server.answers["/mirror/net.pth"] = (200, {"Content-Length": str(len(body))}, body)
    return f"{server.address}/mirror/net.pth"


@pytest.fixture
def net(body, monkeypatch) -> str:
    """The name of weights that are known by the hash of `body`."""
    begins = hashlib.sha256(body).hexdigest()[:8]
    table = {"net.tv": KnownWeights("net.tv", f"https://mirror/net-{begins}.pth")}
    for module in (fetching, known):
        monkeypatch.setattr(module, "KNOWN", table)
    return "net.tv"


def test_known_weights_from_a_mirror_are_verified_and_load(net, mirror, tmp_path, tensors):
    weights = fetch(net, mirror, folder=tmp_path)
    assert weights.verified
    assert weights.source == "net.pth"
    assert torch.equal(load(net, tmp_path)["conv1.weight"], tensors["conv1.weight"])


def test_a_mirror_with_another_file_is_refused_and_leaves_nothing(net, server, tmp_path):
    server.answers["/net.pth"] = (200, {}, b"PK another file")
    with pytest.raises(CheckpointError) as caught:
        fetch(net, f"{server.address}/net.pth", folder=tmp_path)
    assert caught.value.code == "E_SHA256"
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_from_a_server_that_calls_it_a_file_is_refused(server, tmp_path):
    server.answers["/net.pth"] = (200, {}, b"<html>sign in</html>")
    with pytest.raises(CheckpointError, match="web page"):
        fetch("mine", f"{server.address}/net.pth", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_transfer_leaves_what_was_there_before(net, mirror, server, body, tmp_path):
    fetch(net, mirror, folder=tmp_path)
    before = held(tmp_path)
    server.answers["/mirror/net.pth"] = (200, {"Content-Length": str(len(body))}, body[:-7])
    with pytest.raises(CheckpointError, match="only"):
        fetch(net, mirror, folder=tmp_path)
    assert held(tmp_path) == before
    assert {file.name for file in tmp_path.iterdir()} == {"net.tv.safetensors", "net.tv.json"}


def test_a_hash_that_is_asked_for_is_checked(mirror, body, tmp_path):
    right = hashlib.sha256(body).hexdigest()
    fetch("mine", mirror, right.upper(), tmp_path)
    with pytest.raises(CheckpointError, match="not 00000000"):
        fetch("mine", mirror, 64 * "0", tmp_path)


def test_the_limit_holds(mirror, tmp_path):
    with pytest.raises(CheckpointError, match="more than 100"):
        fetch("mine", mirror, folder=tmp_path, limit=100)


def test_a_name_without_an_address_is_met_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"did you mean resnet18\.tv_in1k"):
        fetch("resnet18.tv", folder=tmp_path)


def test_what_a_killed_transfer_left_goes_after_a_day(mirror, tmp_path):
    for name, age in (("old", ABANDONED + 60), ("new", 60)):
        half = tmp_path / f"{TEMPORARY}{name}"
        half.write_bytes(b"half")
        os.utime(half, 2 * (time.time() - age,))
    fetch("mine", mirror, folder=tmp_path)
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"mine.safetensors", "mine.json", f"{TEMPORARY}new"}
