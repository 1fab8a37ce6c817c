import pytest
from click.testing import CliRunner

from slicenet.commands import main

SMALL = ("--set", "frame.spacing=[4,4,4]")


@pytest.fixture(scope="session")
def slicenet():
    """Run one command as typed: `slicenet("train", folder, …)`."""

    def run(*words):
        return CliRunner().invoke(main, [str(word) for word in words])

    return run


@pytest.fixture(scope="session")
def run(slicenet, brains, tmp_path_factory):
    """A run folder of the z-score, trained on the healthy of `brains`."""
    out = tmp_path_factory.mktemp("run")
    done = slicenet("train", brains, "--backend", "zscore", *SMALL, "--out", out)
    assert done.exit_code == 0, done.output
    return out
