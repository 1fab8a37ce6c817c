import re

import pytest

from slicenet.cohort.folders import Folders
from slicenet.cohort.rows import read_rows
from slicenet.errors import ConfigError, VolumeError


@pytest.fixture
def read(tree):
    """Read the text of a table that lies beside a.nii, b.nii, m.nii and d/c.nii."""

    def rows(text, name="t.csv", sequences=(), encoding="utf-8"):
        top = tree("a.nii", "b.nii", "m.nii", "d/c.nii")
        (top / name).write_bytes(text.encode(encoding, "surrogateescape"))
        return read_rows(top / name, sequences, Folders())

    return rows


@pytest.fixture
def refusal(read):
    """The error that a table causes."""

    def error(text, **how):
        with pytest.raises(ConfigError) as caught:
            read(text, **how)
        return caught.value

    return error


def test_paths_are_relative_to_the_table_and_other_columns_are_optional(read, tmp_path):
    rows, notices = read(
        "path,mask,truth,id,group\na.nii,m.nii,,x,healthy\nd/../b.nii,,m.nii,n/a,\n"
    )
    first, second = rows
    assert first.images == (tmp_path / "a.nii",)
    assert first.mask == tmp_path / "m.nii"
    assert (first.truth, first.id, first.group) == (None, "x", "healthy")
    assert second.images[0].resolve() == tmp_path / "b.nii"
    assert (second.mask, second.truth, second.id) == (None, tmp_path / "m.nii", "")
    assert notices == []


@pytest.mark.parametrize(
    ("text", "name"),
    [("path\tid\na.nii\tx\n", "t.tsv"), ("path;id\r\na.nii;x\r\n", "t.csv"),
     ("\ufeffPath,ID\na.nii,x", "t.csv"), ('"path","id"\n"a.nii"," x "\n\n', "t.csv"),
     ("path\tid\ra.nii\tx\r", "t.CSV")],
)  # fmt: skip
def test_tables_of_all_usual_dialects_say_the_same(read, text, name):
    rows, _ = read(text, name)
    assert [(row.images[0].name, row.id) for row in rows] == [("a.nii", "x")]


def test_absolute_paths_are_taken_as_they_are(read, tmp_path):
    rows, _ = read(f"path\n{tmp_path / 'a.nii'}\n")
    assert rows[0].images == (tmp_path / "a.nii",)


def test_names_that_are_not_utf8_are_found(read, tmp_path):
    name = "caf\udce9.nii"
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this file system does not take the name")
    rows, _ = read(f"path\n{name}\n")
    assert rows[0].images == (tmp_path / name,)


def test_all_bad_rows_are_counted_and_the_first_ten_are_told(refusal):
    bad = "".join(f"gone{number}.nii\n" for number in range(12))
    error = refusal(f"path\na.nii\n{bad}b.nii\n")
    assert error.code == "E_NOT_FOUND"
    assert "12 of 14 rows" in error.message
    assert re.findall(r"row (\d+)", error.message) == [str(row) for row in range(3, 13)]
    assert "and 2 more" in error.message


@pytest.mark.parametrize(
    "identity", ["sub-01/../../etc", "/etc/passwd", "..", ".", "a\\b", '"a\nb"']
)
def test_e75_an_id_that_could_leave_the_output_folder_is_refused_with_its_row(refusal, identity):
    error = refusal(f"path,id\na.nii,ok\nb.nii,{identity}\n")
    assert error.code == "E_ID"
    assert re.search(r"row [34]: id", error.message)


def test_rows_that_are_bad_in_different_ways_are_told_together(refusal):
    error = refusal("path,id\ngone.nii,x\n,y\na.nii,../z\na.nii,b,c,d\n")
    assert error.code == "E_TABLE"
    for row in ("row 2: no such file", "row 3: no path", "row 4: id", "row 5: 4 cells"):
        assert row in error.message


@pytest.mark.parametrize(
    ("typo", "meant"), [("maks", "mask"), ("truht", "truth"), ("gruop", "group")]
)
def test_a_misspelt_column_is_refused_with_what_was_meant(refusal, typo, meant):
    assert refusal(f"path,{typo}\na.nii,b.nii\n").hint == f"did you mean {meant}?"


def test_columns_with_a_meaning_of_their_own_are_left_alone_and_named(read):
    rows, notices = read("path,task,age,site\na.nii,rest,30,x\n")
    assert len(rows) == 1
    assert [notice.code for notice in notices] == ["W_COLUMN"]
    assert "task, age, site" in notices[0].message


def test_a_table_without_paths_says_which_column_looks_like_them(refusal):
    assert refusal("paths,mask\na.nii,m.nii\n").hint.startswith("is it paths?")
    assert "--sequences" in refusal("T1w,FLAIR\na.nii,b.nii\n").hint


def test_two_columns_of_one_name_are_refused(refusal):
    assert "two columns called path" in refusal("path,path\na.nii,b.nii\n").message


@pytest.mark.parametrize("text", ["", "path\n", "\n\n"])
def test_a_table_without_rows_is_refused(refusal, text):
    assert "no rows" in refusal(text).message


def test_a_spreadsheet_saved_as_utf16_is_refused_in_words(refusal):
    assert refusal("path\na.nii\n", encoding="utf-16").hint == "save it as CSV UTF-8"


def test_a_cell_with_a_zero_byte_is_a_bad_row_and_no_crash(refusal):
    rows = "a.nii,x\n" * 20
    assert "row 22: no such file" in refusal(f"path,id\n{rows}a\0.nii,z\n").message


def test_sequences_are_the_columns_of_those_names(read, tmp_path):
    rows, notices = read("id,FLAIR,T1w\nx,b.nii,a.nii\ny,,a.nii\n", sequences=("T1w", "FLAIR"))
    assert [row.images for row in rows] == [(tmp_path / "a.nii", tmp_path / "b.nii")]
    assert [notice.code for notice in notices] == ["W_SEQUENCE"]
    assert "row 3 (y)" in notices[0].message


def test_a_column_of_a_sequence_that_is_not_there_is_named(refusal):
    error = refusal("T1w,FLAIER\na.nii,b.nii\n", sequences=("T1w", "FLAIR"))
    assert "no column FLAIR" in error.message
    assert error.hint.startswith("is it FLAIER?")


def test_a_folder_that_is_called_like_a_table_is_refused_in_words(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(VolumeError, match=r"t\.csv: is a folder"):
        read_rows(tmp_path / "t.csv", (), Folders())


def test_e74_among_a_hundred_thousand_rows_the_bad_ones_are_told_by_number(refusal):
    rows = [f"a.nii,case{number}" for number in range(100_000)]
    for number in (2, 50_000, 100_001):
        rows[number - 2] = f"gone.nii,case{number}"
    error = refusal("\n".join(["path,id", *rows]))
    assert "3 of 100000 rows" in error.message
    assert re.findall(r"row (\d+)", error.message) == ["2", "50000", "100001"]
