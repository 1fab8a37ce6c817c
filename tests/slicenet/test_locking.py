import os
import subprocess
import sys

import pytest

from slicenet import files
from slicenet.errors import ConfigError, LockedError
from slicenet.locking import locked
from tests.faulty import FaultyDisk

HOLD = """
import sys, time
from pathlib import Path
from slicenet.locking import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    run = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    run.stdout.readline()
    yield run
    run.kill()
    run.wait()
    run.stdout.close()


def test_94_a_second_run_is_told_who_holds_the_folder(tmp_path, holder):
    with pytest.raises(LockedError, match=f"process {holder.pid} on "), locked(tmp_path):
        pass


def test_95_the_lock_of_a_killed_run_is_taken_over(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path):
        pass


def test_a_folder_can_be_locked_again_and_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "new"):
            pass


def test_90_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write there"), locked(tmp_path / "file"):
        pass


def test_93_a_link_planted_as_the_lock_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("keep")
    os.symlink(tmp_path / "precious", tmp_path / "slicenet.lock")
    with pytest.raises(ConfigError), locked(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "keep"


def test_what_a_killed_run_left_half_done_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "sub-1").mkdir()
    half = tmp_path / "sub-1" / ".tmp-0123456789ab.nii.gz"
    for path in (half, tmp_path / "sub-1" / "map.nii.gz", tmp_path / ".hidden"):
        path.write_bytes(b"")
    with locked(tmp_path):
        assert not half.exists()
    assert {path.name for path in tmp_path.rglob("*")} == {
        "sub-1", "map.nii.gz", ".hidden", "slicenet.lock",
    }  # fmt: skip


def test_91_a_full_disk_is_told_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "os", FaultyDisk(1, "full once"))
    with pytest.raises(OSError, match="No space left"), locked(tmp_path / "new"):
        pass
