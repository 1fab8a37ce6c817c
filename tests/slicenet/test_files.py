import hashlib
import json
import os
import stat

import pytest

from slicenet import files


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


def test_93_a_planted_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "out").symlink_to(tmp_path / "precious")
    files.write_text(tmp_path / "out", "new")
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "out").is_symlink()


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
