import errno
import json
import os

import pytest

from slicenet import files
from slicenet.checkpoint import read
from slicenet.cohort import find_cohort
from slicenet.cohort.roles import read_roles
from slicenet.files import digest

SMALL = ("--set", "frame.spacing=[4,4,4]")


@pytest.fixture(scope="module")
def table(slicenet, brains, tmp_path_factory):
    """A split of the eight healthy and two lesioned brains."""
    out = tmp_path_factory.mktemp("split") / "split.tsv"
    done = slicenet("split", brains, "--out", out, "--fit", "0.5", "--calibrate", "0.25")
    assert done.exit_code == 0, done.output
    assert "4 fit, 2 calibrate, 4 test" in done.stdout
    return out


def test_a_split_has_all_subjects_and_says_beside_it_how_it_came_about(table):
    roles = read_roles(table)
    assert sorted(roles) == [f"{index:02d}" for index in range(10)]
    assert {roles["08"], roles["09"]} == {"test"}
    told = json.loads(table.with_suffix(".json").read_text())
    assert (told["fit"], told["calibrate"], told["seed"]) == (0.5, 0.25, 0)
    assert told["subjects"] == {"fit": 4, "calibrate": 2, "test": 4}


def test_training_fits_and_calibrates_whom_the_split_says(slicenet, brains, table, tmp_path):
    done = slicenet("train", brains, "--split", table, "--backend", "histeq", *SMALL,
                    "--out", tmp_path)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "fitted on 4 volumes, calibrated on 2 others" in done.stdout
    assert "healthy (for testing)" in done.stderr
    roles, origin = read_roles(table), read(tmp_path).origin
    images = {case.subject: digest(case.images[0]) for case in find_cohort([brains]).cases}
    learnt = {subject for subject, sha256 in images.items() if sha256 in origin.files}
    assert learnt == {subject for subject, role in roles.items() if role != "test"}


def test_scoring_and_checking_take_whom_the_split_tests_or_whom_is_asked_for(
    slicenet, brains, table, run, tmp_path
):
    tested = sorted(subject for subject, role in read_roles(table).items() if role == "test")
    done = slicenet("check", brains, "--split", table, "--json")
    assert [case["subject"] for case in json.loads(done.stdout)["cases"]] == tested
    done = slicenet("check", brains, "--split", table, "--role", "calibrate", "--json")
    assert len(json.loads(done.stdout)["cases"]) == 2
    done = slicenet("score", run, brains, "--split", table, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.rglob("*_heatmap.nii.gz"))) == len(tested)


def test_judging_takes_whom_the_split_tests(slicenet, brains, run, tmp_path):
    slicenet("score", run, brains, "--participant-label", "07,08,09", "--out", tmp_path / "maps")
    roles = {"07": "fit", "08": "test", "09": "test"}
    rows = ["subject\trole", *(f"{subject}\t{role}" for subject, role in roles.items())]
    (tmp_path / "split.tsv").write_text("\n".join(rows))
    words = ("evaluate", tmp_path / "maps", "--truth", brains, "--bootstrap", 20)
    done = slicenet(*words, "--split", tmp_path / "split.tsv", "--json")
    assert [case["name"] for case in json.loads(done.stdout)["cases"]] == ["sub-08", "sub-09"]
    (tmp_path / "split.tsv").write_text("subject\trole\n08\ttest\n09\ttest\n")
    done = slicenet(*words, "--split", tmp_path / "split.tsv")
    assert done.exit_code == 2
    assert "the split does not know 07" in done.stderr


def test_a_split_that_lacks_a_subject_is_refused(slicenet, brains, tmp_path):
    (tmp_path / "split.tsv").write_text("subject\trole\n00\tfit\n01\tfit\n")
    done = slicenet("train", brains, "--split", tmp_path / "split.tsv", "--backend", "histeq",
                    "--out", tmp_path / "run")  # fmt: skip
    assert done.exit_code == 2
    assert "the split does not know 02, 03" in done.stderr


def test_a_split_without_its_story_is_no_split(slicenet, brains, tmp_path, monkeypatch):
    write = files.write_text

    def full(path, content):
        if path.suffix == ".tsv":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_text", full)
        assert slicenet("split", brains, "--out", tmp_path / "split.tsv").exit_code == 6
    assert slicenet("split", brains, "--out", tmp_path / "split.tsv").exit_code == 0
    assert (tmp_path / "split.json").exists()


def test_a_table_is_replaced_only_when_asked(slicenet, brains, table, tmp_path):
    before = table.read_bytes()
    assert slicenet("split", brains, "--out", table).exit_code == 2
    assert slicenet("split", brains, "--out", tmp_path / "split.csv").exit_code == 2
    assert table.read_bytes() == before
