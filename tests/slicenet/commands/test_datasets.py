import json

import pytest

from slicenet.datasets import LAYOUTS


def test_the_list_tells_of_every_set_what_it_is_where_and_on_which_terms(slicenet):
    done = slicenet("datasets")
    text = " ".join(done.stdout.split())
    for layout in LAYOUTS.values():
        for part in (layout.name, layout.what, layout.where, layout.terms, *layout.modalities):
            assert part in text
    assert max(map(len, done.stdout.splitlines())) <= 110


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_is_told_of_one_set_with_its_layout_as_a_tree(slicenet, name):
    done = slicenet("datasets", name)
    assert done.exit_code == 0
    text = " ".join(done.stdout.split())
    layout = LAYOUTS[name]
    assert layout.reference in text
    assert layout.roles in text
    lines = [line.strip() for line in done.stdout.partition("layout")[2].splitlines()]
    assert set(lines) >= {path.split("/")[-1] for path in layout.tree.splitlines()}
    assert json.loads(slicenet("datasets", name, "--json").stdout)["name"] == name


def test_the_whole_list_is_one_document(slicenet):
    every = json.loads(slicenet("datasets", "--json").stdout)
    assert {one["name"]: one["pictures"] for one in every} == {
        name: layout.flat for name, layout in LAYOUTS.items()
    }


def test_a_folder_is_recognised_with_what_is_in_it(slicenet, tmp_path):
    for name in (*LAYOUTS["wmh"].tree.splitlines(), "notes.nii.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    told = slicenet("datasets", tmp_path).stdout
    assert "WMH challenge: 2 subjects (2 lesioned)" in told
    assert "3 scans: 3 FLAIR, 1 T1w" in told
    assert "1 images are none of the set" in told
    summary = json.loads(slicenet("datasets", tmp_path, "--json").stdout)
    assert summary["sites"] == {"GE3T": 1, "Utrecht": 2}
    assert summary["versions"] == {"orig": 1, "pre": 2}
    assert summary["truths"] == 2


def test_what_is_neither_a_set_nor_in_the_layout_of_one_is_refused(slicenet, tmp_path):
    done = slicenet("datasets", "ixy")
    assert done.exit_code == 4
    assert "did you mean ixi?" in done.stderr
    assert slicenet("datasets", tmp_path).exit_code == 4
