import errno
import hashlib
import json
import os
import re
import stat
import tempfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from slicenet import files
from tests.faulty import KINDS, FaultyDisk


def test_a_final_name_is_a_whole_file_or_the_one_before(tmp_path):
    path = tmp_path / "new" / "map.nii.gz"
    files.write_bytes(path, b"first")

    def fail_half_way():
        with files.replacing(path) as temporary:
            temporary.write_bytes(b"sec")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_bytes() == b"first"
    assert [p.name for p in path.parent.iterdir()] == ["map.nii.gz"]


@pytest.mark.parametrize("name", ["map.nii.gz", "map.nii", "model.safetensors", "plain", "a.b.gz"])
def test_the_temporary_name_is_hidden_and_keeps_the_ending(tmp_path, name):
    with files.replacing(tmp_path / name) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.name.endswith(name.partition(".")[1] + name.partition(".")[2])


def test_a_closed_file_touches_no_other(tmp_path):
    with files.writing(tmp_path / "first") as closed:
        handle = closed.fileno()
    with files.writing(tmp_path / "second") as other:
        assert other.fileno() == handle  # given away again
        for act in (lambda: closed.write(b"late"), closed.sync, closed.readall, closed.fileno):
            with pytest.raises(ValueError, match="first: closed already"):
                act()
    assert (tmp_path / "second").read_bytes() == b""


@pytest.mark.parametrize("write", [files.write_text, files.append_line])
def test_93_a_planted_link_is_replaced_and_not_followed(tmp_path, write):
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "out").symlink_to(tmp_path / "precious")
    write(tmp_path / "out", "new")
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "out").is_symlink()
    assert (tmp_path / "out").read_text().rstrip() == "new"


def test_permissions_are_those_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_json_is_valid_whatever_the_names_and_refuses_nan(tmp_path):
    odd = os.fsdecode(b"\xff\n") + "🧠"
    files.write_json(tmp_path / "a.json", {"name": odd})
    assert json.loads((tmp_path / "a.json").read_bytes())["name"] == odd
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_text_that_is_no_utf8_is_escaped(tmp_path):
    files.write_text(tmp_path / "a.txt", os.fsdecode(b"\xff"))
    assert (tmp_path / "a.txt").read_text("utf-8") == r"\udcff"


def test_a_digest_is_that_of_hashlib(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert files.digest(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_91_what_cannot_be_written_leaves_the_old_file_and_names_it(tmp_path, monkeypatch, kind):
    path = tmp_path / "map.nii"
    files.write_bytes(path, b"first")
    disk = FaultyDisk(2, kind)  # the first makes the temporary file
    monkeypatch.setattr(files, "os", disk)
    with pytest.raises(OSError, match=re.escape(os.strerror(disk.error))) as caught:
        files.write_bytes(path, b"second")
    assert (caught.value.filename, disk.failed) == (str(path), "write")
    assert path.read_bytes() == b"first"
    broken_for_good = disk.lasts and disk.error == errno.EIO  # and nothing can be removed
    assert len(list(tmp_path.iterdir())) == 1 + broken_for_good


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("close", files.read_bytes),
        ("close", lambda path: files.write_bytes(path, b"new")),
        ("close", lambda path: files.append_line(path, "more")),
        ("close", lambda path: files.load_tensors(path)),
        ("lseek", lambda path: files.append_line(path, "more")),
        ("lseek", lambda path: files.reading(path).seek(1)),
        ("ftruncate", files.cut_line),
    ],
)
def test_whatever_fails_names_the_file(tmp_path, monkeypatch, name, act):
    path, real = tmp_path / "some.file", getattr(os, name)
    path.write_bytes(b"first\n")

    def fail(handle, *arguments):
        if name == "close":
            real(handle)
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))  # a handle has no name

    monkeypatch.setattr(files.os, name, fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EDQUOT))) as caught:
        act(path)
    monkeypatch.undo()
    assert caught.value.filename == str(path)
    assert path.read_bytes().startswith(b"first")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_line_that_could_not_be_written_whole_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    files.append_line(path, "first")
    monkeypatch.setattr(files, "os", disk := FaultyDisk(2, "full for good"))
    with pytest.raises(OSError, match="No space left"):
        files.append_line(path, "second")
    assert disk.failed == "write"
    assert path.read_text() == "first\n"


@pytest.mark.parametrize("torn", ["first\nsec", "sec", "first\n", ""])
def test_half_a_line_of_a_run_before_is_cut_off(tmp_path, torn):
    path = tmp_path / "log.jsonl"
    path.write_text(torn)
    files.cut_line(path)
    assert path.read_text() == torn.removesuffix("sec")


def test_json_that_a_broken_disk_hides_is_not_absent(tmp_path, monkeypatch):
    assert files.read_json(tmp_path / "absent.json") == {}
    files.write_json(tmp_path / "a.json", {"a": 1})
    monkeypatch.setattr(files, "os", FaultyDisk(2))
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EIO))):
        files.read_json(tmp_path / "a.json")


def test_tensors_are_those_that_safetensors_wrote(tmp_path):
    save_file({"a": np.arange(3.0)}, tmp_path / "a.safetensors")
    assert files.load_tensors(tmp_path / "a.safetensors", "np")["a"].tolist() == [0, 1, 2]
    with pytest.raises(FileNotFoundError):
        files.load_tensors(tmp_path / "b.safetensors")


def test_a_pipe_in_place_of_tensors_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(OSError, match="not a file"):
        files.load_tensors(tmp_path / "a.safetensors")


def test_an_unnamed_file_is_seen_by_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with files.unnamed() as file:
        file.write(b"secret")
        assert list(tmp_path.iterdir()) == []
        assert file.seek(0) == 0
        assert file.readall() == b"secret"


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 5000, "\udcff"])
def test_what_is_no_object_reads_as_an_empty_one(tmp_path, text):
    (tmp_path / "a.json").write_text(text, "utf-8", "surrogateescape")
    assert files.read_json(tmp_path / "a.json") == {}


def test_what_gets_its_name_is_on_the_disk_before_and_all_of_it(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, rest: real(handle, rest[:3]))  # as a pipe may
    monkeypatch.setattr(files, "os", disk := FaultyDisk())
    files.write_bytes(tmp_path / "a", b"12345678")
    assert disk.seen == ["open", *["write"] * 3, "fsync", "close", "replace"]
    assert (tmp_path / "a").read_bytes() == b"12345678"
    monkeypatch.setattr(files, "os", disk := FaultyDisk())
    with files.replacing(tmp_path / "b"):
        pass
    assert disk.seen == ["open", "close", "open", "fsync", "close", "replace"]


@pytest.mark.parametrize("at", [5, 6])  # fsync, and the rename
def test_91_what_may_not_be_on_the_disk_is_not_called_written(tmp_path, monkeypatch, at):
    monkeypatch.setattr(files, "os", FaultyDisk(at - 2))
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EIO))) as caught:
        files.write_bytes(tmp_path / "a", b"1")
    assert caught.value.filename == str(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_middle_of_reading_names_its_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"1")
    monkeypatch.setattr(files, "os", FaultyDisk(2))
    with pytest.raises(OSError, match="Input/output") as caught:
        files.read_bytes(tmp_path / "a")
    assert caught.value.filename == str(tmp_path / "a")
