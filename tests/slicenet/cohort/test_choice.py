from pathlib import Path

import pytest

from slicenet.cohort.choice import Candidate, check_participants, choose
from slicenet.cohort.naming import parse
from slicenet.cohort.query import Query
from slicenet.errors import ConfigError, NoInputError


def found(*names, in_root=True):
    """Candidates as a walk through a folder finds them."""
    return [Candidate(Path(name), parse(name), True, in_root) for name in names]


def stems(groups):
    return [tuple(one.name.stem for one in group) for group in groups]


def test_of_several_suffixes_t1w_is_taken_and_the_others_are_named():
    groups, notices = choose(found("sub-1_T1w.nii", "sub-1_T2w.nii", "sub-2_FLAIR.nii"), Query())
    assert stems(groups) == [("sub-1_T1w",)]
    assert "1 FLAIR, 1 T2w" in notices[0].message
    assert notices[1].message == "left out without a T1w: sub-2"


def test_a_suffix_that_is_alone_is_taken():
    groups, notices = choose(found("sub-1_FLAIR.nii", "sub-2_FLAIR.nii"), Query())
    assert len(groups) == 2
    assert notices == []


def test_several_suffixes_without_t1w_are_refused_with_the_list():
    with pytest.raises(ConfigError) as caught:
        choose(found("sub-1_FLAIR.nii", "sub-1_T2w.nii"), Query())
    assert caught.value.code == "E_AMBIGUOUS"
    assert "1 FLAIR, 1 T2w" in caught.value.message
    assert "--suffix FLAIR" in caught.value.hint


def test_files_that_the_user_named_are_all_taken():
    named = [Candidate(Path(n), parse(n)) for n in ("sub-1_T1w.nii", "sub-1_FLAIR.nii", "x.nii")]
    groups, notices = choose(named, Query())
    assert len(groups) == 3
    assert notices == []


@pytest.mark.parametrize(
    ("versions", "hint"),
    [
        (("sub-1_T1w", "sub-1_space-MNI_T1w"), "--space MNI or none"),
        (("sub-1_T1w", "sub-1_desc-preproc_T1w"), "--desc none or preproc"),
        (("sub-1_space-A_desc-x_T1w", "sub-1_space-B_T1w"), "--space A or B, --desc none or x"),
        (("sub-1_res-1_T1w", "sub-1_res-2_T1w"), "a table"),
    ],
)
def test_versions_of_one_scan_are_never_chosen_silently(versions, hint):
    with pytest.raises(ConfigError) as caught:
        choose(found(*(f"{stem}.nii" for stem in versions)), Query())
    assert caught.value.code == "E_AMBIGUOUS"
    assert hint in caught.value.hint
    assert all(stem in caught.value.message for stem in versions)


def test_the_filters_of_the_hint_settle_it():
    files = found("sub-1_T1w.nii", "sub-1_space-MNI_T1w.nii")
    assert stems(choose(files, Query(space=("none",)))[0]) == [("sub-1_T1w",)]
    assert stems(choose(files, Query(space=("MNI",)))[0]) == [("sub-1_space-MNI_T1w",)]


def test_runs_and_sessions_are_scans_of_their_own():
    names = ["sub-1_ses-a_T1w.nii", "sub-1_ses-b_run-1_T1w.nii", "sub-1_ses-b_run-2_T1w.nii"]
    assert len(choose(found(*names), Query())[0]) == 3


def test_plain_names_in_a_bids_root_are_left_out_with_a_notice():
    groups, notices = choose(found("sub-1_T1w.nii", "localizer.nii"), Query())
    assert stems(groups) == [("sub-1_T1w",)]
    assert "localizer.nii" in notices[0].message


def test_plain_names_count_where_there_are_no_others_or_no_root():
    assert len(choose(found("a.nii", "b.nii"), Query())[0]) == 2
    assert len(choose(found("sub-1_T1w.nii", "a.nii", in_root=False), Query())[0]) == 2


def test_filters_leave_out_plain_names_with_a_notice():
    groups, notices = choose(found("sub-1_T1w.nii", "a.nii"), Query(suffix=("T1w",)))
    assert len(groups) == 1
    assert [notice.code for notice in notices] == ["W_LEFT_OUT"]


def test_sequences_of_a_visit_are_one_case_in_the_order_asked_for():
    names = [f"sub-{s}_ses-{v}_{q}.nii" for s in "12" for v in "ab" for q in ("T1w", "FLAIR")]
    groups, notices = choose(found(*names), Query(sequences=("FLAIR", "T1w")))
    assert len(groups) == 4
    assert stems(groups)[0] == ("sub-1_ses-a_FLAIR", "sub-1_ses-a_T1w")
    assert notices == []


def test_sequences_may_differ_in_other_entities_when_there_is_one_of_each():
    names = ["sub-1_acq-mprage_T1w.nii", "sub-1_space-T1w_FLAIR.nii"]
    groups, _ = choose(found(*names), Query(sequences=("T1w", "FLAIR")))
    assert stems(groups) == [("sub-1_acq-mprage_T1w", "sub-1_space-T1w_FLAIR")]


def test_a_subject_that_lacks_a_sequence_is_named_and_left_out():
    names = ["sub-1_T1w.nii", "sub-1_FLAIR.nii", "sub-2_T1w.nii", "a.nii"]
    groups, notices = choose(found(*names), Query(sequences=("T1w", "FLAIR")))
    assert len(groups) == 1
    assert "sub-2 (no FLAIR)" in notices[0].message
    assert "a.nii" in notices[1].message


@pytest.mark.parametrize(
    "names",
    [("sub-1_run-1_T1w.nii", "sub-1_run-2_T1w.nii", "sub-1_FLAIR.nii"),
     tuple(f"sub-1{space}_{q}.nii" for space in ("", "_space-MNI") for q in ("T1w", "FLAIR"))],
)  # fmt: skip
def test_sequences_that_could_be_joined_in_two_ways_are_refused(names):
    with pytest.raises(ConfigError) as caught:
        choose(found(*names), Query(sequences=("T1w", "FLAIR")))
    assert caught.value.code == "E_AMBIGUOUS"


def test_a_participant_that_nobody_is_called_is_refused_with_the_closest_label():
    names = [parse("sub-control01_T1w.nii"), parse("x.nii")]
    check_participants(names, Query(participant_label=("sub-control01",)))
    with pytest.raises(NoInputError) as caught:
        check_participants(names, Query(participant_label=("control1", "control01")))
    assert "control1" in caught.value.message
    assert caught.value.hint == "did you mean control01?"
