"""Model files that lie about themselves."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from slicenet.checkpoint import read
from slicenet.errors import CheckpointError
from tests.small_model import small_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("model")).read_bytes()


@pytest.fixture
def path(tmp_path, whole):
    (tmp_path / "model.safetensors").write_bytes(whole)
    return tmp_path / "model.safetensors"


def reheaded(path, change, **more):
    """The file with its safetensors header changed by a function, its tensors left alone."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["scorer.mean"].update(shape=[2**40, 2**20]),
        lambda h: h["scorer.mean"].update(shape=[2**63, 2**63]),
        lambda h: h["scorer.mean"].update(data_offsets=h["scorer.deviation"]["data_offsets"]),
        lambda h: h["scorer.mean"].update(data_offsets=[0, 2**62]),
        lambda h: h["scorer.mean"].update(dtype="F128"),
        lambda h: h.pop("scorer.mean"),
        lambda h: h["__metadata__"].update(slicenet="[" * 5000),
        lambda h: h["__metadata__"].update(slicenet="no JSON"),
    ],
)
def test_f85_tensors_that_lie_where_they_cannot_are_refused(path, change):
    reheaded(path, change)
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code == "E_MODEL"


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_f84_numbers_of_a_kind_that_no_model_holds_are_refused(path, kind):
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["slicenet"])
    del about["sha256"]
    tensors = {name: held.float().to(kind) for name, held in load_file(path).items()}
    save_file(tensors, path, {"slicenet": json.dumps(about)})
    with pytest.raises(CheckpointError) as caught:
        read(path, allow_unverified=True)
    assert caught.value.code == "E_MODEL"


@pytest.mark.parametrize(
    "damage",
    [lambda b: b + b"junk", lambda b: b"\xff" * 8 + b[8:], lambda b: b[:7], lambda b: b""],
)
def test_f85_a_file_of_another_length_than_it_says_is_refused(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert caught.value.code == "E_MODEL"
