import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from slicenet.errors import CheckpointError
from slicenet.weights.reading import read_note, read_tensors


def same(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        found[key].dtype == expected[key].dtype and torch.equal(found[key], expected[key])
        for key in expected
    )


def refusal(path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 5
    return caught.value


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_the_tensors_of_a_torch_file_come_back_exactly(tmp_path, tensors, zipped, wrapper):
    content = OrderedDict(tensors) if wrapper is None else {wrapper: tensors, "epoch": 3}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert same(read_tensors(tmp_path / "w.pth"), tensors)


def test_the_tensors_of_a_safetensors_file_come_back_whatever_its_ending(tmp_path, tensors):
    save_file(tensors, tmp_path / "w.pth")
    assert same(read_tensors(tmp_path / "w.pth"), tensors)


def test_parameters_come_back_as_plain_tensors(tmp_path):
    torch.save({"weight": torch.nn.Parameter(torch.ones(2))}, tmp_path / "w.pth")
    assert not read_tensors(tmp_path / "w.pth")["weight"].requires_grad


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle was run')",))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "content",
    [{"weight": Trap()}, {"weight": torch.nn.Linear(1, 1)}, {"rng": np.random.RandomState(0)}],
    ids=["trap", "module", "generator"],
)
def test_f79_a_pickle_with_code_is_refused_and_never_run(tmp_path, content, zipped):
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    error = refusal(tmp_path / "w.pth")
    assert error.code == "E_PICKLE"
    assert "state_dict" in error.hint


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E_EMPTY"),
        (b"<!DOCTYPE html><title>Sign in</title>", "E_NOT_WEIGHTS"),
        (b"\n  <html>", "E_NOT_WEIGHTS"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "E_POINTER"),
        (b"conv1.weight 0.5\n", "E_NOT_WEIGHTS"),
        (b"\x80", "E_NOT_WEIGHTS"),
        (bytes(1000), "E_NOT_WEIGHTS"),
        (np.random.default_rng(0).bytes(5000), "E_NOT_WEIGHTS"),
        (b"PK\x03\x04" + bytes(60), "E_NOT_WEIGHTS"),
    ],
)
def test_what_is_no_weights_file_is_refused_with_its_own_code(tmp_path, content, code):
    (tmp_path / "w.pth").write_bytes(content)
    assert refusal(tmp_path / "w.pth").code == code


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_cut_anywhere_is_refused(tmp_path, tensors, kind):
    file = tmp_path / "w"
    if kind == "safetensors":
        save_file(tensors, file)
    else:
        torch.save(tensors, file, _use_new_zipfile_serialization=kind == "zip")
    whole = file.read_bytes()
    for length in {1, 8, 9, 100, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        file.write_bytes(whole[:length])
        assert refusal(file).code == "E_NOT_WEIGHTS", length


def test_f86_a_zip_that_claims_more_than_it_holds_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**7))
    assert refusal(tmp_path / "w.pth").code == "E_TOO_LARGE"


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(1)], {"a": {"b": 1}}])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    assert refusal(tmp_path / "w.pth").code == "E_NOT_WEIGHTS"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, value):
    torch.save({"a": torch.ones(2), "fc.bias": torch.tensor([1.0, value])}, tmp_path / "w.pth")
    error = refusal(tmp_path / "w.pth")
    assert error.code == "E_NONFINITE"
    assert "fc.bias" in error.message


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    assert refusal(tmp_path / "absent.pth").code == "E_NOT_FOUND"
    assert refusal(tmp_path).code == "E_NOT_FILE"


def test_a_file_past_the_limit_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "w.pth").open("wb") as file:
        file.truncate(9 * 2**30)  # a hole: takes no room
    assert refusal(tmp_path / "w.pth").code == "E_TOO_LARGE"


def test_a_note_is_read_where_there_is_one(tmp_path):
    tensors = {"a": torch.zeros(2)}
    save_file(tensors, tmp_path / "noted.safetensors", {"from": "here"})
    save_file(tensors, tmp_path / "plain.safetensors")
    torch.save(tensors, tmp_path / "torch.pth")
    assert read_note(tmp_path / "noted.safetensors", "from") == "here"
    assert read_note(tmp_path / "noted.safetensors", "to") == ""
    assert read_note(tmp_path / "plain.safetensors", "from") == ""
    assert read_note(tmp_path / "torch.pth", "from") == ""


def test_a_note_of_a_cut_file_is_not_made_up(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "cut.safetensors", {"from": "here"})
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-3])
    with pytest.raises(CheckpointError, match="damaged"):
        read_note(tmp_path / "cut.safetensors", "from")
