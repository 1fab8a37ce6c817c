import subprocess
import sys

from slicenet import __version__


def test_the_package_runs_as_the_command():
    words = [sys.executable, "-m", "slicenet", "--version"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"slicenet {__version__}")
