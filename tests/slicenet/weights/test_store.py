import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import digest
from slicenet.weights import known, store
from slicenet.weights.known import KnownWeights
from slicenet.weights.store import held, import_file, load, path

SHARED = Path(__file__).parents[4] / "shared/weights"


@pytest.fixture
def brought(tmp_path, tensors):
    """A state dict as somebody brings it."""
    torch.save(tensors, tmp_path / "my net.pth")
    return tmp_path / "my net.pth"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weights"


@pytest.fixture
def published(brought, monkeypatch):
    """The brought file as one that is known, under the name that its hash gives it."""
    file = brought.with_name(f"net-{digest(brought)[:8]}.pth")
    os.link(brought, file)
    table = {"net.tv": KnownWeights("net.tv", f"https://mirror/{file.name}")}
    monkeypatch.setattr(known, "KNOWN", table)
    monkeypatch.setattr(store, "KNOWN", table)
    return file


def same(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[key], expected[key]) for key in expected
    )


def test_what_was_imported_loads_with_the_same_tensors(brought, folder, tensors):
    import_file(brought, "mine", folder)
    assert same(load("mine", folder), tensors)
    assert same(load_file(path("mine", folder)), tensors)


def test_the_record_holds_the_hashes_of_both_files(brought, folder):
    weights = import_file(brought, "mine", folder, licence="CC0-1.0")
    record = json.loads((folder / "mine.json").read_text())
    assert record["sha256"] == weights.sha256 == digest(weights.path)
    assert record["source_sha256"] == weights.source_sha256 == digest(brought)
    assert record["source"] == "my net.pth"
    assert weights.licence == "CC0-1.0"
    assert not weights.verified
    assert weights.size == weights.path.stat().st_size


def test_a_file_without_a_name_is_called_after_itself(brought, folder):
    assert import_file(brought, folder=folder).name == "my_net"


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden", "-x", "a b", "x" * 101, "ä"])
def test_a_name_that_is_no_plain_file_name_is_refused(brought, folder, name):
    with pytest.raises(ConfigError):
        import_file(brought, name, folder)
    with pytest.raises(CheckpointError):
        path(name, folder)
    assert not folder.exists()


def test_a_known_file_takes_its_known_name_whatever_it_is_called(published, folder):
    renamed = published.rename(published.with_name("download (1)"))
    weights = import_file(renamed, folder=folder)
    assert weights.name == "net.tv"
    assert weights.verified
    assert weights.licence.startswith("BSD-3-Clause")


def test_a_known_file_name_with_another_hash_is_refused_as_damaged(published, folder, tensors):
    published.unlink()
    torch.save({"other": torch.ones(1)}, published)
    with pytest.raises(CheckpointError) as caught:
        import_file(published, folder=folder)
    assert caught.value.code == "E_SHA256"
    assert held(folder) == ()


def test_another_file_under_a_known_name_is_kept_but_not_called_verified(
    published, folder, tmp_path
):
    save_file({"other": torch.ones(1)}, tmp_path / "model.safetensors")
    assert not import_file(tmp_path / "model.safetensors", "net.tv", folder).verified


def test_missing_known_weights_name_the_file_to_bring_and_the_place(folder):
    with pytest.raises(CheckpointError) as caught:
        path("wide_resnet50_2.tv_in1k", folder)
    assert caught.value.exit_code == 5
    assert str(folder) in caught.value.message
    assert "wide_resnet50_2-95faca4d.pth" in caught.value.hint
    assert "slicenet weights import" in caught.value.hint


def test_missing_weights_of_ones_own_say_how_to_import_them(folder):
    with pytest.raises(CheckpointError, match="import FILE --name mine"):
        load("mine", folder)


def test_f81_one_flipped_bit_is_found_when_weights_are_loaded(brought, folder):
    file = import_file(brought, "mine", folder).path
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load("mine", folder)
    assert caught.value.code == "E_SHA256"


def test_a_file_put_there_by_hand_is_held_without_a_record(folder, tensors):
    folder.mkdir()
    save_file(tensors, folder / "byhand.safetensors")
    (weights,) = held(folder)
    assert (weights.name, weights.sha256, weights.verified) == ("byhand", "", False)
    assert same(load("byhand", folder), tensors)


def test_a_file_put_there_by_hand_is_guarded_like_one_that_is_imported(folder):
    folder.mkdir()
    (folder / "page.safetensors").write_text("<html>")
    with pytest.raises(CheckpointError, match="web page"):
        load("page", folder)


def test_importing_again_replaces_the_weights_and_their_record(brought, folder, tensors):
    import_file(brought, "mine", folder)
    torch.save({"other": torch.ones(1)}, brought)
    import_file(brought, "mine", folder)
    assert same(load("mine", folder), {"other": torch.ones(1)})
    assert len(held(folder)) == 1


def test_an_import_that_fails_leaves_what_was_there(brought, folder, tensors):
    import_file(brought, "mine", folder)
    brought.write_bytes(brought.read_bytes()[:-100])
    with pytest.raises(CheckpointError):
        import_file(brought, "mine", folder)
    assert same(load("mine", folder), tensors)


def test_tensors_that_share_memory_are_kept_each_on_its_own(folder, tmp_path):
    base = torch.arange(6.0)
    torch.save({"whole": base, "part": base[2:4], "turned": base.view(2, 3).T}, tmp_path / "w.pth")
    import_file(tmp_path / "w.pth", "mine", folder)
    found = load("mine", folder)
    assert found["part"].tolist() == [2, 3]
    assert found["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("record", ["", "[1]", '{"unknown": 1}', "\x00"])
def test_a_record_that_cannot_be_read_is_named(brought, folder, record):
    import_file(brought, "mine", folder)
    (folder / "mine.json").write_text(record)
    with pytest.raises(CheckpointError, match=r"mine\.json"):
        held(folder)


def test_an_absent_folder_holds_nothing(folder):
    assert held(folder) == ()


def test_the_folder_of_the_environment_is_the_default(brought, folder, monkeypatch):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(folder))
    import_file(brought, "mine")
    assert [weights.name for weights in held() if not weights.packaged] == ["mine"]
    assert path("mine") == folder / "mine.safetensors"


def test_what_comes_with_the_package_is_whole_and_gives_way_to_a_file_of_its_name(
    brought, folder, monkeypatch
):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(folder))
    (packaged,) = held()
    assert packaged.packaged
    assert packaged.sha256 == hashlib.sha256(packaged.path.read_bytes()).hexdigest()
    assert "BSD" in packaged.licence
    assert len(load(packaged.name)) == 75
    import_file(brought, packaged.name)
    assert not held()[0].packaged
    assert path(packaged.name).parent == folder


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/weights is not there")
def test_the_packaged_weights_are_torchvision_s_to_half_precision():
    original = load_file(SHARED / "resnet18_imagenet.safetensors")
    ours = load("resnet18.tv_in1k")
    assert ours.keys() == original.keys()
    assert all(torch.equal(ours[name], original[name].to(ours[name].dtype)) for name in ours)
