from pathlib import Path, PurePosixPath

from slicenet.cohort.case import Case
from slicenet.cohort.examine import Facts, Finding
from slicenet.cohort.table import WIDEST_LINE
from slicenet.cohort.verdicts import report
from slicenet.errors import Notice, VolumeError


def case(name, **more):
    return Case(name, (Path(f"/data/{name}.nii"),), PurePosixPath(name), **more)


def good(name, *codes, shape=(10, 20, 30), spacing=(1.0, 1.0, 2.0), axes="RAS", sequences=1):
    notices = tuple(Notice(code, f"{name}.nii: said of it") for code in codes)
    return Finding(case(name), Facts(sequences, shape, spacing, axes, "int16", 1234.5), notices)


def bad(name, message, code="E_CRC", hint=""):
    return Finding(case(name), error=VolumeError(message, code, hint))


def test_good_and_bad_cases_stand_in_one_table_of_aligned_columns():
    lines = report([good("a"), bad("b", "/data/b.nii: is cut", hint="copy it"), good("long")], ())
    header, first, second, third = lines.splitlines()[:4]
    assert first.split() == ["a", "ok", "10x20x30", "1x1x2", "RAS", "int16", "1234", "found"]
    assert second.split(maxsplit=2) == ["b", "E_CRC", "is cut"]
    places = [(header, "shape"), (first, "10x20"), (second, "is cut"), (third, "10x20")]
    starts = {line.index(word) for line, word in places}
    assert len(starts) == 1


def test_what_was_wrong_is_never_cut_but_wrapped_below_itself():
    words = [f"word{number}" for number in range(60)]
    lines = report([bad("a", f"/data/a.nii: {' '.join(words)}")], ()).splitlines()
    assert " ".join(" ".join(lines[1:-1]).split()).removeprefix("a E_CRC ").split() == words
    assert max(map(len, lines)) <= WIDEST_LINE
    assert len({line.index("word") for line in lines[1:-2]}) == 1


def test_a_comparison_of_grids_keeps_its_lines():
    table = "/data/a.nii: lies elsewhere:\n    image  mask\n    10     20"
    lines = report([bad("a", table, "E_GRID")], ()).splitlines()
    assert [line.strip() for line in lines[2:4]] == ["image  mask", "10     20"]


def test_what_would_help_is_said_once_for_each_kind_of_error():
    heads = [bad(name, "has a skull", "E_SKULL", "strip it") for name in "abc"]
    cut = [bad("d", "is cut", hint="copy it"), bad("e", "is torn", hint="fetch it")]
    lines = report([*heads, *cut], ()).splitlines()
    assert lines[0].split(maxsplit=2)[-1] == "what is wrong"
    assert lines[7:-2] == ["E_CRC  copy it", "E_CRC  fetch it", "E_SKULL  strip it"]


def test_what_is_wrong_with_a_mask_or_truth_says_so():
    one = case("a", mask=Path("/m/x.nii"), truth=Path("/t/y.nii"))
    for path, kind in (("/m/x.nii", "mask"), ("/t/y.nii", "truth")):
        text = report([Finding(one, error=VolumeError(f"{path}: is empty", "E_EMPTY"))], ())
        assert f"{kind} is empty" in text


def test_every_warning_code_stands_in_its_line_and_is_explained_once():
    text = report([good("a", "W_SLOPE"), good("b", "W_SLOPE", "W_JUNK", "W_JUNK")], ())
    lines = text.splitlines()
    assert lines[1].endswith("W_SLOPE")
    assert lines[2].endswith("W_SLOPE W_JUNK")
    assert "W_SLOPE  a: said of it (and 1 more)" in lines
    assert "W_JUNK  b: said of it" in lines


def test_duplicates_are_told():
    twins = Notice("W_DUPLICATE", "/data/a.nii: the same bytes as /data/b.nii")
    assert "W_DUPLICATE  /data/a.nii: the same bytes as /data/b.nii" in report([good("a")], [twins])


def test_the_summary_counts_good_and_bad():
    text = report([good("a"), good("b", "W_SLOPE"), bad("c", "x")], ())
    assert text.splitlines()[-1] == "3 cases: 2 good (1 with warnings), 1 bad"


def test_c57_mixed_spacings_and_fields_of_view_are_summed_up_in_one_order_of_axes():
    same = good("b", shape=(30, 10, 20), spacing=(2.0, 1.0, 1.0), axes="SLP")
    assert report([good("a"), good("a2")], ()).splitlines()[-1].startswith("2 cases")
    lines = report([good("a"), same, good("c", spacing=(2.0, 2.0, 2.0))], ()).splitlines()
    assert "3 spacings: 1x1x2 mm (1), 2x1x1 mm (1), 2x2x2 mm (1)" in lines
    assert "2 fields of view: 10x20x60 mm (2), 20x40x60 mm (1)" in lines
    assert "resampled" in lines[-1]


def test_several_sequences_are_told_with_the_shape():
    assert "2 of 10x20x30" in report([good("a", sequences=2)], ())


def test_hostile_names_stay_on_their_line():
    one = Case("x", (Path("/data/a\nb\x1b[2J.nii"),), PurePosixPath("x"))
    error = VolumeError("/data/a\\nb\\x1b[2J.nii: is bad", "E_CRC")
    lines = report([Finding(one, error=error)], ()).splitlines()
    assert lines[1].split() == ["x", "E_CRC", "is", "bad"]
