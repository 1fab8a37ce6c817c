import json
import os

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from slicenet.commands.check import command
from slicenet.errors import NoInputError


@pytest.fixture
def check():
    """Run the command; what it prints on standard output and its exit code."""

    def run(*arguments):
        return CliRunner().invoke(command, list(map(str, arguments)))

    return run


@pytest.fixture
def data(tmp_path, make_brain):
    """A BIDS root with two brains, masks, and truth for one of them."""
    folder = tmp_path / "data"
    for label in "12":
        anat = folder / f"sub-{label}" / "anat"
        anat.mkdir(parents=True)
        volume = make_brain(int(label))
        for ending, voxels in (("T1w", volume.voxels[0]), ("desc-brain_mask", volume.brain)):
            image = nib.Nifti1Image(voxels.numpy().astype(np.float32), volume.affine)
            nib.save(image, anat / f"sub-{label}_{ending}.nii.gz")
    truth = np.zeros(volume.brain.shape, np.uint8)
    truth[20:30, 20:30, 20:30] = 255
    nib.save(nib.Nifti1Image(truth, volume.affine), anat / "sub-2_label-lesion_mask.nii.gz")
    (folder / "participants.tsv").write_text("participant_id\tgroup\nsub-1\thealthy\nsub-2\till\n")
    return folder


def test_a_good_cohort_is_shown_case_by_case_and_exits_0(check, data):
    result = check(data)
    assert result.exit_code == 0
    understood, verdicts = result.stdout.split("verdict")
    assert "2 cases in" in understood
    assert "sub-1/anat/sub-1_T1w.nii.gz" in understood
    lines = [line.split() for line in verdicts.splitlines()]
    assert lines[1][:5] == ["sub-1", "ok", "44x52x40", "3x3x3", "RAS"]
    assert lines[2][-2:] == ["beside", "27.0"]
    assert result.stdout.endswith("2 cases: 2 good (0 with warnings), 0 bad\n")


def test_some_bad_cases_exit_3_and_stop_no_other(check, data):
    (data / "sub-0/anat").mkdir(parents=True)
    (data / "sub-0/anat/sub-0_T1w.nii.gz").write_bytes(b"<html>")
    result = check(data)
    assert result.exit_code == 3
    assert "E_NOT_NIFTI" in result.stdout
    assert "3 cases: 2 good" in result.stdout


def test_nothing_but_bad_cases_exits_4(check, tmp_path):
    (tmp_path / "a.nii").touch()
    result = check(tmp_path)
    assert result.exit_code == 4
    assert "E_EMPTY" in result.stdout


def test_no_case_at_all_is_an_error(check, tmp_path):
    assert isinstance(check(tmp_path).exception, NoInputError)


def test_duplicates_are_named(check, data):
    (data / "sub-3/anat").mkdir(parents=True)
    twin = data / "sub-3/anat/sub-3_T1w.nii.gz"
    twin.write_bytes((data / "sub-1/anat/sub-1_T1w.nii.gz").read_bytes())
    result = check(data)
    assert result.exit_code == 0
    assert "W_DUPLICATE" in result.stdout


def test_json_is_one_document_that_says_the_same(check, data):
    (data / "sub-0").mkdir()
    (data / "sub-0/sub-0_T1w.nii.gz").write_bytes(b"")
    result = check(data, "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert (document["good"], document["bad"]) == (2, 1)
    broken, healthy, ill = document["cases"]
    assert broken["error"]["code"] == "E_EMPTY"
    assert broken["facts"] is None
    assert healthy["facts"]["shape"] == [44, 52, 40]
    assert (healthy["ok"], healthy["group"], healthy["truth"]) == (True, "healthy", None)
    assert ill["facts"]["lesion_ml"] == pytest.approx(27)
    assert ill["mask"].endswith("sub-2_desc-brain_mask.nii.gz")


def test_json_stays_valid_for_names_that_are_not_utf8(check, tmp_path):
    try:
        (tmp_path / "caf\udce9\n.nii").touch()
    except OSError:
        pytest.skip("this file system does not take the name")
    result = check(tmp_path, "--json")
    (case,) = json.loads(result.stdout)["cases"]
    assert case["images"][0].isprintable()
    assert result.stdout.isascii()


def test_filters_reach_the_search(check, data):
    document = json.loads(check(data, "--participant-label", "2", "--json").stdout)
    assert [case["name"] for case in document["cases"]] == ["sub-2"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_only_looks_like_an_image_is_a_bad_case_and_nothing_waits(check, tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "lost.nii").symlink_to("nowhere")
    (tmp_path / "x.nrrd").write_bytes(b"NRRD0004\n")
    (tmp_path / "series").mkdir()
    for name in "ab":
        (tmp_path / f"series/{name}.dcm").touch()
    document = json.loads(check(tmp_path, "--json").stdout)
    codes = {case["name"]: case["error"]["code"] for case in document["cases"]}
    assert codes == {
        "pipe": "E_NOT_FILE",
        "folder": "E_NOT_FILE",
        "lost": "E_NOT_FOUND",
        "x": "E_NOT_NIFTI",
        "series": "E_NOT_FILE",
    }
