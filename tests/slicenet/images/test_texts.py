import os

import pytest

from slicenet.errors import VolumeError
from slicenet.images.texts import read_text


def test_text_comes_without_byte_order_mark_and_with_its_line_ends(tmp_path):
    (tmp_path / "t").write_bytes("\ufeffä\r\n".encode())
    assert read_text(tmp_path / "t") == "ä\r\n"


def test_bytes_that_are_no_utf8_come_back_as_the_names_of_files_do(tmp_path):
    (tmp_path / "t").write_bytes(b"caf\xe9")
    assert os.fsencode(read_text(tmp_path / "t")) == b"caf\xe9"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(VolumeError, match=r"t\.csv: is a pipe"):
        read_text(tmp_path / "t.csv")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(VolumeError, match="gone"):
        read_text(tmp_path / "gone")
