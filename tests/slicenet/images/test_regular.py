import errno
import os
import threading
import time

import pytest

from slicenet.errors import ResourceError, VolumeError
from slicenet.images.image import read_image
from slicenet.images.regular import open_regular, read_some
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.brains import packed, plain, put

NOBODY = 65534


def code_of(path) -> str:
    with pytest.raises(VolumeError) as caught, open_regular(path):
        pass
    return caught.value.code


def test_a16_what_is_not_a_file_is_refused_and_nothing_hangs(tmp_path):
    start = time.monotonic()
    assert outcomes(16, tmp_path) == ["E_NOT_FILE"] * 4
    assert time.monotonic() - start < 5


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a17_a_file_that_may_not_be_read_is_refused(tmp_path):
    if os.geteuid() != 0:
        assert outcomes(17, tmp_path) == ["E_PERMISSION"]
        return
    path = put(tmp_path, "secret.nii.gz", packed(plain()))
    path.chmod(0)
    os.seteuid(NOBODY)  # root may read everything
    try:
        assert outcome(path) == "E_PERMISSION"
    finally:
        os.seteuid(0)


def test_a18_links_to_nowhere_are_not_found(tmp_path):
    assert outcomes(18, tmp_path) == ["E_NOT_FOUND"] * 2


def test_names_that_no_file_can_have_are_not_found(tmp_path):
    for name in ("missing.nii", "x" * 300, "zero\0byte", "missing/inside.nii"):
        assert code_of(tmp_path / name) == "E_NOT_FOUND"
    file = put(tmp_path, "file", b"content")
    assert code_of(file / "inside.nii") == "E_NOT_FOUND"


def test_the_message_says_where_a_dangling_link_leads(tmp_path):
    path = tmp_path / "link.nii"
    path.symlink_to("target\n.nii")
    with pytest.raises(VolumeError, match=r"target\\n\.nii, which does not exist"):
        read_image(path)


def grow(path):
    with path.open("ab") as file:
        file.write(b"more")


def touch(path):
    os.utime(path, ns=(1, 1))


def replace(path):
    os.replace(put(path.parent, "other", path.read_bytes()), path)


def damaged(_: object) -> None:
    raise VolumeError("was cut off", "E_TRUNCATED")


def read_while(path, change) -> None:
    with open_regular(path) as file:
        read_some(file, 3)
        change(path)


@pytest.mark.parametrize("change", [grow, touch, replace, os.unlink])
def test_a20_a_file_that_changes_while_it_is_read_is_refused(tmp_path, change):
    path = put(tmp_path, "file.nii", b"content")
    with pytest.raises(VolumeError) as caught:
        read_while(path, change)
    assert caught.value.code == "E_CHANGED"


def test_a20_a_file_still_being_written_is_not_called_damaged(tmp_path):
    content = packed(plain())
    path = put(tmp_path, "growing.nii.gz", content[:-20])
    with pytest.raises(VolumeError) as caught:
        read_while(path, lambda path: damaged(path.write_bytes(content)))
    assert caught.value.code == "E_CHANGED"


def test_a20_reading_an_image_that_is_touched_all_the_time_is_refused(tmp_path):
    path = put(tmp_path, "busy.nii.gz", packed(plain()))
    stop = threading.Event()

    def keep_touching() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            os.utime(path, ns=(count, count))

    busy = threading.Thread(target=keep_touching)
    busy.start()
    try:
        caught = any(outcome(path) == "E_CHANGED" for _ in range(1000))
    finally:
        stop.set()
        busy.join()
    assert caught


def test_an_error_of_the_disk_is_told_by_its_reason(tmp_path):
    class Broken:
        def read(self, count: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(ResourceError, match="Input/output error") as caught:
        read_some(Broken(), 10)
    assert caught.value.code == "E_DISK"


def test_no_descriptor_is_left_open(tmp_path):
    path = put(tmp_path, "file", b"content")
    with open_regular(path) as file:
        first = file.fileno()
    for _ in range(3):
        code_of(tmp_path)
        with open_regular(path) as file:
            assert file.fileno() == first
