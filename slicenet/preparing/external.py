"""A skull stripper that is installed: run on a scan, and its brain mask read."""

import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from slicenet.errors import ConfigError, VolumeError
from slicenet.images.grid import Grid
from slicenet.images.image import read_mask

PLACES = ("{in}", "{out}", "{mask}")
TOLD = 400  # characters of what a tool said last
HINT = "such as 'hd-bet -i {in} -o {out}' or 'mri_synthstrip -i {in} -m {mask}'"


def check_command(command: str) -> None:
    """Refuse a command that cannot work, before any scan is touched."""
    words = _words(command)
    if "{in}" not in command or not ("{out}" in command or "{mask}" in command):
        raise ConfigError(
            f"--skull-strip-cmd {command}: needs {{in}}, and {{out}} or {{mask}}", "E_USAGE", HINT
        )
    if shutil.which(words[0]) is None:
        raise ConfigError(
            f"--skull-strip-cmd {command}: no {words[0]} on PATH", "E_TOOL", "install it first"
        )


def strip(command: str, image: Path, grid: Grid) -> np.ndarray:
    """The brain that the command finds in a file, bool as stored; no shell reads the command.

    {in} becomes the file, {out} a brain without its skull, {mask} a mask. Where there is no {mask},
    what is not 0 in {out} is brain.
    """
    with TemporaryDirectory() as folder:
        places = {
            "{in}": str(image.resolve()),
            "{out}": str(Path(folder, "brain.nii.gz")),
            "{mask}": str(Path(folder, "mask.nii.gz")),
        }
        words = [_filled(word, places) for word in _words(command)]
        done = subprocess.run([*_tied(), *words], capture_output=True, text=True, errors="replace")
        made = Path(places["{mask}" if "{mask}" in command else "{out}"])
        if done.returncode or not made.is_file():
            said = (done.stderr.strip() or done.stdout.strip())[-TOLD:]
            failed = f"ended with {done.returncode}" if done.returncode else f"left no {made.name}"
            raise VolumeError(f"{image.name}: {words[0]} {failed}: {said}", "E_TOOL")
        brain, _ = read_mask(made, grid)
    if not brain.any():
        raise VolumeError(f"{image.name}: {words[0]} found no brain", "E_MASK")
    return brain


def _tied() -> list[str]:
    """What makes a tool end with this process, even if that is killed; nothing where it lacks."""
    tie = shutil.which("setpriv")  # of Linux; code of ours between fork and exec might hang
    return [tie, "--pdeathsig", "TERM", "--"] if tie else []


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"--skull-strip-cmd {command}: {error}", "E_USAGE", HINT) from error
    if not words:
        raise ConfigError("--skull-strip-cmd: is empty", "E_USAGE", HINT)
    return words


def _filled(word: str, places: dict[str, str]) -> str:
    for place, path in places.items():
        word = word.replace(place, path)
    return word
