import errno
import fcntl
import json
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


@pytest.mark.parametrize("since", [4e9, 1e300, "soon", None])
def test_g98_a_lock_from_the_future_or_from_nowhere_stops_nobody(tmp_path, since):
    (tmp_path / "slicenet.lock").write_text(json.dumps({"pid": 1, "host": "x", "since": since}))
    with locked(tmp_path):
        held = json.loads((tmp_path / "slicenet.lock").read_text())
        (tmp_path / "slicenet.lock").write_text(json.dumps({**held, "since": since}))
        with pytest.raises(LockedError, match="another run writes here"), locked(tmp_path):
            pass


# Where even root may make no folder, and a name that no file system takes.
@pytest.mark.parametrize("place", ["file", "/proc/slicenet", "/sys/slicenet", "x" * 300])
def test_g90_a_folder_that_cannot_be_written_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write there"), locked(tmp_path / place):
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


def test_half_files_of_another_run_in_a_folder_within_stay(tmp_path):
    with locked(tmp_path / "within"):
        half = tmp_path / "within" / "deep" / ".tmp-0123456789ab.nii.gz"
        half.parent.mkdir()
        half.write_bytes(b"")
        with locked(tmp_path):
            assert half.exists()


def test_a_file_is_held_apart_from_its_folder_and_from_other_files(tmp_path):
    (tmp_path / ".tmp-0123456789ab.nii").write_bytes(b"")  # whose, a run for one file cannot know
    with locked(tmp_path, "a.safetensors"), locked(tmp_path, "b.safetensors"):
        with (
            pytest.raises(LockedError, match=r"a\.safetensors: another run writes here"),
            locked(tmp_path, "a.safetensors"),
        ):
            pass
        assert (tmp_path / ".tmp-0123456789ab.nii").exists()
        with locked(tmp_path):
            pass


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(ConfigError, match=r"has no locks \(Function not implemented\)"):
        locked(tmp_path).__enter__()
