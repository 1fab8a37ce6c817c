import errno
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial

import click
import pytest
import torch
from click.testing import CliRunner

from slicenet.commands import main
from slicenet.commands.door import Door, json_option, prepare, refuse_inside
from slicenet.errors import ConfigError, LockedError, ResourceError, VolumeError
from slicenet.locking import locked

WAIT = """
import time
from slicenet.commands import main
import click
@main.command("wait")
def wait():
    print("waiting", flush=True)
    time.sleep(30)
main()
"""
# Neither letters nor folders that can be used; what is written is no terminal.
POOR = {
    **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    **{"HOME": "/nowhere", "TMPDIR": "/nowhere"},
}


def available(device):
    return torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()


def fail(error, *words):
    @click.group(cls=Door)
    def group():
        pass

    @group.command("go")
    @json_option
    def go(json_output):
        raise error

    return CliRunner().invoke(group, ["go", *words])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a", "E_A"), 2),
        (VolumeError("a", "E_A"), 4),
        (ResourceError("a", "E_A"), 6),
        (LockedError("a", "E_A"), 7),
        (MemoryError(), 6),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 6),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "x"), 6),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "x"), 2),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a bug"), 1),
    ],
)
def test_every_failure_has_its_exit_code(error, code):
    assert fail(error).exit_code == code


def test_a_typed_error_is_a_line_and_a_hint_without_a_traceback():
    done = fail(ConfigError("spacing: too small", "E_SETTING", "use 1"))
    assert done.stderr == "error: spacing: too small [E_SETTING]\n  hint: use 1\n"
    assert done.stdout == ""


def test_with_json_the_error_is_one_document_on_standard_output():
    done = fail(VolumeError("x.nii: cut", "E_TRUNCATED", "copy it again"), "--json")
    assert json.loads(done.stdout)["error"] == {
        "code": "E_TRUNCATED", "message": "x.nii: cut", "hint": "copy it again"
    }  # fmt: skip


@pytest.mark.parametrize("words", [["--json", "--no-such"], ["--no-such", "--json"]])
def test_with_json_wrong_words_are_one_document_too(words):
    run = CliRunner().invoke(main, ["doctor", *words])
    assert run.exit_code == 2
    assert json.loads(run.stdout)["error"]["code"] == "E_USAGE"
    assert "--no-such" in json.loads(run.stdout)["error"]["message"]
    assert "Usage:" in run.stderr


def test_106_a_reader_who_goes_away_is_no_bug():
    code = "from slicenet.commands import main; import sys; sys.argv[1:] = ['backends']; main()"
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert run.returncode == 141
    assert run.stderr == b""


def test_h106_poor_surroundings_are_no_bug(tmp_path):
    (tmp_path / "é \N{BRAIN}.nii.gz").write_bytes(b"<html>")
    poor = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **POOR}
    start = f"exec '{sys.executable}' -c 'from slicenet.commands import main; main()'"
    run = subprocess.run(["sh", "-c", f"{start} check ."], capture_output=True, env=poor,
                         cwd=tmp_path)  # fmt: skip
    assert run.returncode == 4, run.stderr
    assert b"E_NOT_NIFTI" in run.stdout
    closed = subprocess.run(["sh", "-c", f"{start} --help >&-"], capture_output=True, env=poor)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_bug_shows_its_traceback_and_where_to_tell():
    done = fail(ZeroDivisionError("a bug"))
    assert "Traceback" in done.stderr
    assert "this is a bug in slicenet" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_100_a_signal_ends_with_its_code(number, code):
    # Whoever started the tests in the background may have them ignore the interrupt.
    heeding = partial(signal.signal, number, signal.SIG_DFL)
    run = subprocess.Popen([sys.executable, "-c", WAIT, "wait"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, preexec_fn=heeding)  # fmt: skip
    run.stdout.readline()
    time.sleep(0.1)
    os.kill(run.pid, number)
    _, told = run.communicate(timeout=20)
    assert run.returncode == code
    assert b"the same command goes on" in told


def test_108_a_device_that_is_absent_is_refused_and_auto_finds_one():
    assert prepare("auto", None) in ("cpu", "cuda", "mps")
    assert prepare("cpu", 1) == "cpu"
    absent = [d for d in ("cuda", "mps") if not available(d)]
    for device in absent:
        with pytest.raises(ResourceError, match="not available"):
            prepare(device, None)


def test_the_help_comes_at_once():
    command = [sys.executable, "-c", "from slicenet.commands import main; main()", "--help"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command[1:]], capture_output=True, text=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"torch", "numpy", "nibabel", "matplotlib", "sklearn"}
    assert done.returncode == 0


def test_every_command_explains_itself_and_takes_no_option_without_help():
    for name, command in main.commands.items():
        assert command.get_short_help_str(), name
        done = CliRunner().invoke(main, [name, "--help"])
        assert done.exit_code == 0


@pytest.mark.parametrize(
    ("out", "place", "refused"),
    [
        ("data", "data", True),
        ("data/maps", "data", True),
        (".", "data/sub-1/anat/t1.nii", False),
        ("data/sub-1/anat", "data/sub-1/anat/t1.nii", True),
        ("data", "data/sub-1", True),  # maps of a subject lie where its scans do
        ("data", "data/sub-1/anat/t1.nii", True),
        ("data/derivatives", "data/sub-1", False),
        ("maps", "data", False),
        ("loop", "data", False),  # which the disk itself refuses
    ],
)
def test_92_nothing_is_written_into_a_data_set_of_the_input(tmp_path, out, place, refused):
    (tmp_path / "data/sub-1/anat").mkdir(parents=True)
    (tmp_path / "data/sub-1/anat/t1.nii").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    wrong = pytest.raises(ConfigError, match="lies inside the input") if refused else nullcontext()
    with wrong:
        refuse_inside(tmp_path / out, [tmp_path / place])


@pytest.mark.parametrize(
    "words",
    [
        ("train", "BRAINS", "--backend", "zscore", "--out", "OUT"),
        ("compare", "BRAINS", "--backends", "zscore", "--out", "OUT"),
        ("prepare", "BRAINS", "OUT"),
        ("phantom", "OUT", "--healthy", "1"),
        ("report", "OUT"),
    ],
)
def test_94_every_command_that_fills_a_folder_holds_it(brains, tmp_path, words):
    places = {"BRAINS": str(brains), "OUT": str(tmp_path / "out")}
    with locked(tmp_path / "out"):
        done = CliRunner().invoke(main, [places.get(word, word) for word in words])
    assert done.exit_code == 7, done.output
