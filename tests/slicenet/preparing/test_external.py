import os
import shutil
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import ConfigError, VolumeError
from slicenet.images.grid import Grid
from slicenet.preparing.external import check_command, strip

COPY = "import shutil, sys; shutil.copy(*sys.argv[1:3])"


@pytest.fixture
def scan(tmp_path):
    values = np.zeros((6, 7, 8), np.float32)
    values[2:4, 2:5, 3:6] = 5
    path = tmp_path / "my scan.nii.gz"
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)
    return path, Grid((6, 7, 8), np.eye(4)), values > 0


@pytest.fixture
def tool(tmp_path):
    """A command that runs some Python."""

    def write(code):
        path = tmp_path / "tool.py"
        path.write_text(code)
        return f"{sys.executable} {path}"

    return write


@pytest.mark.parametrize("place", ["{out}", "{mask}"])
def test_what_the_tool_writes_is_the_brain(scan, tool, place):
    path, grid, brain = scan
    assert np.array_equal(strip(f"{tool(COPY)} {{in}} {place}", path, grid), brain)


def test_no_shell_reads_the_command(scan, tool, tmp_path):
    path, grid, brain = scan
    found = strip(f"{tool(COPY)} {{in}} {{out}} '; touch hacked'", path, grid)
    assert np.array_equal(found, brain)
    assert not list(tmp_path.rglob("hacked"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit('no licence')", "ended with 1: no licence"),
        ("pass", "left no brain.nii.gz"),
        (
            "import sys, nibabel as n, numpy as p;"
            "n.save(n.Nifti1Image(p.zeros((6, 7, 8)), p.eye(4)), sys.argv[2])",
            "found no brain",
        ),
    ],
)
def test_a_tool_that_fails_is_told_with_its_own_words(scan, tool, code, said):
    path, grid, _ = scan
    with pytest.raises(VolumeError, match=said):
        strip(f"{tool(code)} {{in}} {{out}}", path, grid)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("", "E_USAGE"),
        ("hd-bet {in}", "E_USAGE"),
        ("hd-bet {out}", "E_USAGE"),
        ("hd-bet '{in} {out}", "E_USAGE"),
        ("no-such-tool-anywhere {in} {out}", "E_TOOL"),
    ],
)
def test_a_command_that_cannot_work_is_refused_at_once(command, code):
    with pytest.raises(ConfigError) as caught:
        check_command(command)
    assert caught.value.code == code


ORPHAN = """
import sys
from pathlib import Path
from slicenet.images.grid import Grid
import numpy as np
from slicenet.preparing.external import strip
strip(sys.argv[1] + " {in} {out}", Path(sys.argv[2]), Grid((2, 2, 2), np.eye(4)))
"""


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of Linux")
def test_a_tool_does_not_outlive_a_run_that_was_killed(tmp_path):
    told = tmp_path / "told"
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\necho $$ > {told}.new\nmv {told}.new {told}\nexec sleep 60\n")
    tool.chmod(0o755)
    command = [sys.executable, "-c", ORPHAN, str(tool), str(tmp_path / "scan.nii.gz")]
    with subprocess.Popen(command) as parent:
        deadline = time.monotonic() + 60
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process = int(told.read_text())
        assert os.path.exists(f"/proc/{process}")
        parent.kill()
    while running(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(process)


def running(process):
    """Whether it does anything: who is left by a killed parent may stay on as a zombie."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
