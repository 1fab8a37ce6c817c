import pytest

from slicenet.cohort import Case, Cohort
from slicenet.cohort.roles import assigned, having, read_roles, write_roles
from slicenet.errors import ConfigError, NoInputError

COHORT = Cohort(tuple(Case(f"{s}_{i}", (), None, subject=s) for s in "abc" for i in "12"))


def test_what_is_written_is_read_again_and_bids_prefixes_do_not_count(tmp_path):
    roles = {"IXI002": "fit", "IXI012": "calibrate", "BraTS-GLI-00008": "test"}
    write_roles(tmp_path / "split.tsv", roles)
    assert read_roles(tmp_path / "split.tsv") == roles
    (tmp_path / "split.tsv").write_text("role\tsex\tsubject\nfit\tF\tsub-01\n\n")
    assert read_roles(tmp_path / "split.tsv") == {"01": "fit"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a table of roles"),
        ("subject,role\na,fit\n", "not a table of roles"),
        ("subject\trole\n" + "x" * 140_000, "not a table of roles"),
        ("subject\trole\na\ttrain\n", "row 2: role 'train'"),
        ("subject\trole\n\tfit\n", "row 2: role 'fit'"),
        ("subject\trole\na\n", "row 2: role 'of nobody'"),
        ("subject\trole\na\tfit\nb\tfit\nsub-a\ttest\n", "row 4: a is there twice"),
    ],
)
def test_a_table_that_could_be_misread_is_refused(tmp_path, text, told):
    (tmp_path / "split.tsv").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        read_roles(tmp_path / "split.tsv")
    assert caught.value.code == "E_SPLIT"


def test_all_scans_of_a_subject_have_its_role():
    cohort = assigned(COHORT, {"a": "fit", "b": "test", "c": "fit", "other": "test"})
    assert [case.role for case in cohort.cases] == ["fit", "fit", "test", "test", "fit", "fit"]
    assert [case.name for case in having(cohort, ["test"]).cases] == ["b_1", "b_2"]
    with pytest.raises(NoInputError, match="role calibrate"):
        having(cohort, ["calibrate"])


def test_a_subject_that_the_split_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="does not know b, c") as caught:
        assigned(COHORT, {"a": "fit"})
    assert caught.value.code == "E_SPLIT"
