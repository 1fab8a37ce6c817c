import configparser
import re
from importlib.metadata import version
from pathlib import Path

from slicenet import __version__
from slicenet.installed import LIBRARIES, Finding, installed

SETUP = Path(__file__).parents[2] / "setup.cfg"


def test_every_library_that_we_depend_on_is_looked_for():
    setup = configparser.ConfigParser()
    setup.read(SETUP)
    required = setup["options"]["install_requires"].split()
    names = {re.split(r"[<>=]", line)[0] for line in required}
    # torchvision comes with timm, and is the one that breaks.
    assert set(LIBRARIES) == names | {"torchvision"}


def test_versions_are_those_of_the_installed_packages():
    found = {finding.name: finding for finding in installed()}
    assert found["slicenet"].found == __version__
    assert found["nibabel"] == Finding("ok", "nibabel", version("nibabel"))
    assert all(finding.state == "ok" for finding in found.values())


def test_an_absent_library_is_missing_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr("slicenet.installed.LIBRARIES", ("no-such-library",))
    assert installed()[-1] == Finding(
        "missing", "no-such-library", "not installed", "pip install no-such-library"
    )
