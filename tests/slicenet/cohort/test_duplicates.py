import os
from pathlib import PurePosixPath

import pytest

from slicenet.cohort.case import Case
from slicenet.cohort.cohort import Cohort
from slicenet.cohort.duplicates import GLANCE, find_duplicates


@pytest.fixture
def duplicates(tmp_path):
    """The messages about files with these contents."""

    def messages(**contents):
        for name, content in contents.items():
            (tmp_path / f"{name}.nii").write_bytes(content)
        cases = [
            Case(path.stem, (path,), PurePosixPath(path.stem))
            for path in sorted(tmp_path.iterdir())
        ]
        return [notice.message for notice in find_duplicates(Cohort(tuple(cases)))]

    return messages


def test_files_with_the_same_bytes_are_named_together(duplicates, tmp_path):
    told = duplicates(a=b"one", b=b"two", c=b"one", d=b"one", e=b"two", f=b"other")
    paths = {name: tmp_path / f"{name}.nii" for name in "abcdef"}
    assert told == [
        f"{paths['a']}: the same bytes as {paths['c']}, {paths['d']}",
        f"{paths['b']}: the same bytes as {paths['e']}",
    ]


def test_of_many_copies_the_first_are_named_and_the_rest_counted(duplicates, tmp_path):
    (told,) = duplicates(**{name: b"one" for name in "abcdefg"})
    assert told.endswith(f"{tmp_path / 'd.nii'} and 3 more")


def test_files_that_differ_outside_the_glance_are_no_duplicates(duplicates):
    same = bytes(10 * GLANCE)
    assert duplicates(a=same + b"x", b=same + b"y", c=b"z" + same) == []


def test_empty_files_are_no_duplicates(duplicates):
    assert duplicates(a=b"", b=b"") == []


def test_only_files_of_equal_size_are_opened(duplicates, monkeypatch):
    monkeypatch.setattr("slicenet.cohort.duplicates._glance", None)
    assert duplicates(a=b"1", b=b"22", c=b"333") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_is_no_file_is_passed_over_without_waiting(duplicates, tmp_path):
    for name in ("p.nii", "q.nii"):
        os.mkfifo(tmp_path / name)
        (tmp_path / f"lost-{name}").symlink_to("nowhere")
    assert duplicates() == []


def test_one_file_under_two_names_is_a_duplicate(duplicates, tmp_path):
    (tmp_path / "z.nii").symlink_to("a.nii")
    assert len(duplicates(a=b"one")) == 1
