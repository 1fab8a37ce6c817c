from pathlib import Path

import pytest

from slicenet.folders import cache_folder, weights_folder

HERE = (("SLICENET_WEIGHTS", weights_folder), ("SLICENET_CACHE", cache_folder))


@pytest.fixture(autouse=True)
def _a_home_and_nothing_else(monkeypatch, tmp_path):
    names = ("SLICENET_WEIGHTS", "SLICENET_CACHE", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_without_a_word_both_lie_in_the_home_folder(tmp_path):
    assert weights_folder() == tmp_path / ".local/share/slicenet/weights"
    assert cache_folder() == tmp_path / ".cache/slicenet"


@pytest.mark.parametrize(("variable", "folder"), HERE)
def test_our_own_variable_wins_over_the_xdg_one(variable, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert folder() == tmp_path / "mine"


@pytest.mark.parametrize(("variable", "folder"), HERE)
def test_our_own_variable_may_start_with_a_tilde_or_be_relative(
    variable, folder, monkeypatch, tmp_path
):
    monkeypatch.setenv(variable, "~/mine")
    assert folder() == tmp_path / "mine"
    monkeypatch.setenv(variable, "mine")
    assert folder() == Path.cwd() / "mine"


def test_the_xdg_folders_are_used_when_absolute_and_ignored_when_not(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert weights_folder() == Path("/data/slicenet/weights")
    assert cache_folder() == tmp_path / ".cache/slicenet"


def test_h106_a_home_that_cannot_hold_a_folder_gives_way_to_the_temporary_one(
    monkeypatch, tmp_path
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file/home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    assert cache_folder().parent == tmp_path / "scratch"
    assert weights_folder() == cache_folder() / "weights"


def test_h106_a_missing_home_variable_is_no_error(monkeypatch):
    monkeypatch.delenv("HOME")
    assert cache_folder().is_absolute()
    assert weights_folder().is_absolute()


def test_weights_in_a_home_that_became_read_only_are_still_found(monkeypatch, tmp_path):
    held = tmp_path / ".local/share/slicenet"
    held.mkdir(parents=True)
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    assert weights_folder() == held / "weights"
