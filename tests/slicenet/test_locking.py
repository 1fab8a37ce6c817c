import os
import subprocess
import sys

import pytest

from slicenet.errors import ConfigError, LockedError
from slicenet.locking import locked

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
