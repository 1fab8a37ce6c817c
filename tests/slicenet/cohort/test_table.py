import pytest

from slicenet.cohort.table import align, describe, render, shorten, width


@pytest.fixture
def cohort(find, tree):
    top = tree(
        "d/a.nii", "d/a_mask.nii", "d/b.nii", "m/x.nii",
        t__csv="path,mask,truth,group\nd/a.nii,,,healthy\nd/b.nii,m/x.nii,m/x.nii,lesioned\n",
    )  # fmt: skip
    (top / "d/c.nii").touch()
    return find(top / "t.csv", top / "d/c.nii")


def test_a_case_is_described_by_what_was_understood(cohort):
    rows = describe(cohort)
    assert [row.images for row in rows] == [("a.nii",), ("b.nii",), ("c.nii",)]
    assert [row.mask for row in rows] == ["beside", "given", "found"]
    assert [row.truth for row in rows] == [False, True, False]
    assert [row.group for row in rows] == ["healthy", "lesioned", ""]


def test_the_printed_table_counts_everything_and_shows_the_first_cases(cohort, tmp_path):
    lines = render(cohort, limit=2).splitlines()
    assert lines[0] == (
        f"3 cases in {tmp_path / 'd'}, 1 healthy, 1 lesioned, brain mask beside for 1,"
        " brain mask found for 1, brain mask given for 1, truth for 1"
    )
    assert lines[2].split() == ["name", "images", "brain", "mask", "truth", "group"]
    assert lines[4].split() == ["b", "b.nii", "given", "yes", "lesioned"]
    assert lines[5] == "… and 1 more"


def test_notices_of_the_search_are_printed_below(find, tree):
    text = render(find(tree("a.nii", "b_seg.nii")))
    assert text.splitlines()[-1].startswith("W_MASK_IGNORED ")


def test_columns_line_up_whatever_the_letters():
    lines = align([("name", "x"), ("日本", "x"), ("🧠", "x"), ("e\u0301", "x"), ("a\nb", "x")])
    assert len({width(line) for line in lines}) == 1
    assert all("\n" not in line for line in lines)


def test_a_long_cell_keeps_its_beginning_and_its_end():
    assert shorten("a" * 50 + "z" * 50, 11) == "aaaaa…zzzzz"
    assert shorten("short", 5) == "short"


def test_names_that_are_not_utf8_can_be_printed(find, tmp_path):
    try:
        (tmp_path / "caf\udce9.nii").touch()
    except OSError:
        pytest.skip("this file system does not take the name")
    assert render(find(tmp_path)).encode()
