from collections import Counter
from pathlib import Path

import pytest

from slicenet import embedded
from slicenet.cohort.roles import read_roles
from slicenet.errors import CheckpointError

FOLDER = Path(embedded.__file__).parent


def test_the_split_is_60_20_20_with_the_raw_scans_among_the_tested():
    roles = read_roles(FOLDER / "split.tsv")
    assert Counter(roles.values()) == {"fit": 60, "calibrate": 20, "test": 20}
    native = ("IXI013", "IXI131", "IXI213", "IXI334", "IXI445", "IXI538")
    assert {roles[subject] for subject in native} == {"test"}


def test_the_licence_of_the_weights_is_beside_them():
    text = (FOLDER / "LICENSE").read_text("utf-8")
    assert "creativecommons.org/licenses/by-sa/3.0" in text
    assert "IXI, CC BY-SA 3.0" in text


def test_without_its_file_it_says_how_to_train_one(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "FILE", tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="no model named") as caught:
        embedded.place()
    assert "slicenet train" in caught.value.hint
    assert embedded.told().startswith("no embedded model")
    (tmp_path / "none.safetensors").touch()
    assert embedded.place() == tmp_path / "none.safetensors"
    assert "CC BY-SA 3.0" in embedded.told()
