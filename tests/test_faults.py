"""A disk that fails loses nothing; `make faults` looks at every operation, this at some of each."""

import errno
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import weakref

import nibabel as nib
import pytest

from slicenet.detector import Detector
from slicenet.errors import VolumeError
from slicenet.images.write import write_map
from tests.faulty import KINDS, Deed, clean_run, wrongs

SMALL = ("--set", "frame.spacing=[6,6,6]")
MAIN = "from slicenet.commands import main; main()"
STEP = 53  # a prime: no loop of the program is as long


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


@pytest.fixture
def scoring(training, brains, tmp_path):
    """A model that is there."""
    assert training.run().exit_code == 0
    out = tmp_path / "maps"
    return Deed(("score", training.out, brains / "brain0.nii.gz", "--out", out), out)


@pytest.mark.parametrize("kind", KINDS)
def test_91_training_and_its_cache_lose_nothing_to_a_disk_that_fails(training, kind):
    clean, count = clean_run(training)
    assert "model.safetensors" in clean
    first = 1 + list(KINDS).index(kind) * STEP // len(KINDS)  # other operations for each kind
    tried = range(first, count + 1, STEP)
    assert len(tried) > 1
    assert [wrong for at in tried for wrong in wrongs(training, at, kind, clean)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_91_scoring_loses_nothing_to_a_disk_that_fails(scoring, kind):
    clean, count = clean_run(scoring)
    assert any(name.endswith("heatmap.nii.gz") for name in clean)
    first = 1 + list(KINDS).index(kind) * STEP // len(KINDS)
    tried = range(first, count + 1, STEP)
    assert [wrong for at in tried for wrong in wrongs(scoring, at, kind, clean)] == []


def test_91_files_that_may_not_grow_end_with_6_and_a_rerun_completes(scoring):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, before[1]))
    try:
        done = scoring.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.exit_code == 6, done.output
    assert "File too large [E_DISK]" in done.stderr
    assert str(scoring.out) in done.stderr
    assert not any(name.endswith("heatmap.nii.gz") or "/.tmp-" in name for name in scoring.left())
    assert scoring.run().exit_code == 0


def test_a_case_that_failed_is_let_go_of(scoring, brains, monkeypatch):
    seen = []

    def refuse(detector, volume):
        assert [one for one in seen if one()] == []
        seen.append(weakref.ref(volume))
        raise VolumeError("not today")

    monkeypatch.setattr(Detector, "score", refuse)
    done = Deed((*scoring.words[:2], brains, *scoring.words[3:]), scoring.out).run()
    assert done.exit_code == 4, done.output
    assert len(seen) == 6


def test_91_a_fault_of_the_disk_that_names_no_file_is_not_of_a_case(scoring, monkeypatch):
    def full(detector, volume):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(Detector, "score", full)
    done = scoring.run()
    assert done.exit_code == 6, done.output
    assert f"{os.strerror(errno.EDQUOT)} [E_DISK]" in done.stderr


def test_20_the_half_of_a_pair_that_vanishes_meanwhile_fails_its_case(
    scoring, make_brain, tmp_path, monkeypatch
):
    volume = make_brain(0, spacing=6.0, shape=(24, 28, 22))
    pair = tmp_path / "pair.img"
    nib.save(nib.Nifti1Pair(volume.voxels[0].numpy(), volume.affine), pair)
    score, digest, seen = Detector.score, hashlib.file_digest, []

    def scored(detector, volume):
        seen.append(volume.name)
        return score(detector, volume)

    def vanishing(file, kind):
        if seen:  # the header is read first
            pair.unlink(missing_ok=True)
        return digest(file, kind)

    monkeypatch.setattr(Detector, "score", scored)
    monkeypatch.setattr(hashlib, "file_digest", vanishing)
    words = (*scoring.words[:2], pair.with_suffix(".hdr"), *scoring.words[3:])
    done = Deed(words, scoring.out).run()
    assert seen == ["pair"]
    assert done.exit_code == 4, done.output
    assert f"failed pair: pair: {pair}: No such file or directory [E_NOT_FOUND]" in done.stderr


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs a mount of its own")
@pytest.mark.parametrize(
    ("option", "code", "said"), [("size=60k", 6, "No space left"), ("ro", 2, "cannot write there")]
)
def test_91_a_real_disk_that_is_full_or_for_reading_only(scoring, option, code, said):
    disk = scoring.out.parent / "disk"
    disk.mkdir()
    mounting = f"mount -t tmpfs -o {option} none {disk} && " + 'exec "$@"'
    inside = ["unshare", "-rm", "sh", "-c", mounting, "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed")
    words = [*map(str, scoring.words[:-1]), str(disk / "maps")]
    command = [*inside, sys.executable, "-c", MAIN, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert str(disk / "maps") in done.stderr
