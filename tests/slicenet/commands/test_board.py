import sys

import pytest

from slicenet.commands.board import board
from slicenet.errors import ConfigError
from slicenet.journal import journal
from slicenet.watch import silent


def test_tensorboard_reads_what_was_measured(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    writer = board(tmp_path / "events")
    watch = journal(tmp_path / "m", silent, writer)
    for step in (1, 2, 3):
        watch("flow", step, 3, loss=1.0 / step)
    watch("tokens", 3, 3, perplexity=7.5)
    writer.close()
    read = EventAccumulator(str(tmp_path / "events")).Reload()
    assert read.Tags()["scalars"] == ["flow/loss", "tokens/perplexity"]
    (told,) = read.Scalars("tokens/perplexity")
    assert (told.step, told.value) == (3, 7.5)


def test_without_tensorboard_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="not installed") as caught:
        board(tmp_path)
    assert "tensorboard" in caught.value.hint
