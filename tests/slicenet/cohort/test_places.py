import os
from pathlib import Path

import pytest

from slicenet.cohort.places import sort_places
from slicenet.errors import NoInputError


def test_tables_files_and_folders_are_told_apart(tree):
    top = tree(
        "a.nii", "t.tsv", "u.CSV", "d/x.nii", "participants.tsv", "sub-1_scans.tsv", "b.json"
    )
    found = sort_places(sorted(top.iterdir()))
    assert found.files == (top / "a.nii",)
    assert found.tables == (top / "t.tsv", top / "u.CSV")
    assert found.folders == (top / "d",)
    assert found.others == (top / "b.json", top / "participants.tsv", top / "sub-1_scans.tsv")


def test_a_folder_with_the_ending_of_an_image_is_taken_for_one(tmp_path):
    (tmp_path / "x.nii.gz").mkdir()
    assert sort_places([tmp_path / "x.nii.gz"]).files == (tmp_path / "x.nii.gz",)


def test_the_only_input_is_tried_whatever_its_ending(tree):
    top = tree("scan", "b.nii")
    assert sort_places([top / "scan"]).files == (top / "scan",)
    assert sort_places([top / "scan", top / "b.nii"]).others == (top / "scan",)


def test_a_pattern_is_filled_in_and_sorted(tree):
    top = tree("b.nii", "a.nii", "c.txt", "d/e/f.nii")
    assert sort_places([top / "*.nii"]).files == (top / "a.nii", top / "b.nii")
    assert sort_places([top / "**" / "f.nii"]).files == (top / "d/e/f.nii",)


def test_a_file_whose_name_looks_like_a_pattern_stands_for_itself(tree):
    top = tree("a[1].nii", "a1.nii")
    assert sort_places([top / "a[1].nii"]).files == (top / "a[1].nii",)


@pytest.mark.parametrize("name", [b"-x.nii", b"caf\xe9.nii", b"a\nb.nii", "🧠.nii".encode()])
def test_names_of_any_bytes_are_found(tmp_path, name):
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system does not take the name")
    assert sort_places([path]).files == (path,)
    assert sort_places([tmp_path / "*.nii"]).files == (path,)


def test_a_link_to_nowhere_is_an_input_that_reading_refuses(tmp_path):
    (tmp_path / "a.nii").symlink_to("gone")
    assert sort_places([tmp_path / "a.nii"]).files == (tmp_path / "a.nii",)


@pytest.mark.parametrize(("lost", "meant"), [("cohrt", "cohort"), ("cohrt/sub/x.nii", "cohort")])
def test_a_mistyped_path_is_answered_with_its_closest_neighbour(tree, lost, meant):
    top = tree("cohort/a.nii", "zebra.nii")
    with pytest.raises(NoInputError) as caught:
        sort_places([top / lost])
    assert caught.value.code == "E_NOT_FOUND"
    assert caught.value.hint == f"did you mean {top / meant}?"


def test_all_missing_paths_are_counted(tree):
    top = tree("a.nii")
    with pytest.raises(NoInputError, match=r"xyz1: no such file or folder \(and 1 more\)"):
        sort_places([top / "xyz1", top / "a.nii", top / "xyz2"])


@pytest.mark.parametrize("places", [[], [Path("nothing-here-*.nii")]])
def test_nothing_named_and_nothing_matched_say_what_would_do(places):
    with pytest.raises(NoInputError) as caught:
        sort_places(places)
    assert caught.value.code == "E_NO_INPUT"
    assert ".nii.gz" in caught.value.hint
