"""A disk that fails loses nothing; `make faults` looks at every operation, this at some of each."""

import pytest

from slicenet.images.write import write_map
from tests.faulty import KINDS, Deed, clean_run, wrongs

SMALL = ("--set", "frame.spacing=[6,6,6]")
STEP = 43  # a prime: no loop of the program is as long


@pytest.fixture(scope="module")
def brains(make_brain, tmp_path_factory):
    """As few as a calibration takes."""
    folder = tmp_path_factory.mktemp("brains")
    for index in range(6):
        volume = make_brain(index, spacing=6.0, shape=(24, 28, 22))
        write_map(folder / f"brain{index}.nii.gz", volume.voxels[0].numpy(), volume.grid)
    return folder


@pytest.fixture
def training(brains, tmp_path, monkeypatch):
    """The cache is empty each time."""
    monkeypatch.setenv("SLICENET_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "run"
    words = ("train", brains, "--backend", "zscore", *SMALL, "--out", out)
    return Deed(words, out, (tmp_path / "cache",))


@pytest.mark.parametrize("kind", KINDS)
def test_91_training_and_its_cache_lose_nothing_to_a_disk_that_fails(training, kind):
    clean, count = clean_run(training)
    assert "model.safetensors" in clean
    first = 1 + list(KINDS).index(kind) * STEP // len(KINDS)  # other operations for each kind
    tried = range(first, count + 1, STEP)
    assert len(tried) > 1
    assert [wrong for at in tried for wrong in wrongs(training, at, kind, clean)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_91_scoring_loses_nothing_to_a_disk_that_fails(training, brains, tmp_path, kind):
    clean_run(training)
    out = tmp_path / "maps"
    scoring = Deed(("score", training.out, brains / "brain0.nii.gz", "--out", out), out)
    clean, count = clean_run(scoring)
    assert any(name.endswith("heatmap.nii.gz") for name in clean)
    first = 1 + list(KINDS).index(kind) * STEP // len(KINDS)
    tried = range(first, count + 1, STEP)
    assert [wrong for at in tried for wrong in wrongs(scoring, at, kind, clean)] == []
