from pathlib import Path, PurePosixPath

import pytest

from slicenet.cohort.build import build_case, check_collisions
from slicenet.cohort.case import Case
from slicenet.cohort.datasets import DataSets
from slicenet.cohort.folders import Folders
from slicenet.cohort.rows import Row
from slicenet.errors import VolumeError


def build(row):
    folders = Folders()
    return build_case(row, folders, DataSets(folders))


def named(*stems):
    return [
        Case(stem, (Path(f"{n}/{stem}.nii"),), PurePosixPath(stem)) for n, stem in enumerate(stems)
    ]


def test_a_bids_image_tells_everything_by_its_name(tree):
    top = tree(
        "sub-1/anat/sub-1_space-MNI152_desc-brain_FLAIR.nii.gz",
        "sub-1/anat/sub-1_space-MNI152_desc-brain_mask.nii.gz",
        "sub-1/anat/sub-1_space-MNI152_label-lesion_mask.nii.gz",
        participants__tsv="participant_id\tgroup\nsub-1\tlesioned\n",
    )
    folder = top / "sub-1/anat"
    case = build(Row((folder / "sub-1_space-MNI152_desc-brain_FLAIR.nii.gz",)))
    assert case.name == "sub-1_space-MNI152_FLAIR"
    assert case.prefix == "sub-1_mod-FLAIR_space-MNI152"
    assert case.folder == PurePosixPath("sub-1/anat")
    assert case.mask == folder / "sub-1_space-MNI152_desc-brain_mask.nii.gz"
    assert case.truth == folder / "sub-1_space-MNI152_label-lesion_mask.nii.gz"
    assert (case.group, case.subject, case.in_template_space) == ("lesioned", "1", True)


def test_what_a_table_says_wins_over_what_lies_beside(tree):
    top = tree("a.nii", "a_mask.nii", "other.nii")
    row = Row((top / "a.nii",), top / "other.nii", top / "other.nii", "patient 9", "control")
    case = build(row)
    assert case.mask == case.truth == top / "other.nii"
    assert case.name == case.subject == "patient 9"
    assert (case.group, str(case.folder)) == ("control", "patient 9")


def test_an_id_in_bids_form_is_read_as_such(tree):
    case = build(Row((tree("a.nii") / "a.nii",), id="sub-7_ses-b"))
    assert (case.subject, str(case.folder)) == ("7", "sub-7/ses-b/anat")


def test_masks_beside_any_sequence_serve_the_case_and_the_first_sequence_names_it(tree):
    top = tree("sub-1_acq-a_T1w.nii", "sub-1_FLAIR.nii", "sub-1_desc-brain_mask.nii")
    case = build(Row((top / "sub-1_acq-a_T1w.nii", top / "sub-1_FLAIR.nii")))
    assert case.name == "sub-1_acq-a"
    assert case.mask == top / "sub-1_desc-brain_mask.nii"


def test_a_plain_file_is_its_own_subject(tree):
    case = build(Row((tree("case7.nii.gz") / "case7.nii.gz",)))
    assert (case.name, case.subject, str(case.folder)) == ("case7", "case7", "case7")
    assert (case.group, case.mask, case.in_template_space) == ("", None, False)


@pytest.mark.parametrize("other", ["case7", "CASE7"])
def test_e76_two_inputs_with_one_output_name_are_refused_with_both_names(other):
    with pytest.raises(VolumeError) as caught:
        check_collisions(named("case7", other))
    assert caught.value.code == "E_COLLISION"
    assert str(Path("0/case7.nii")) in caught.value.message
    assert str(Path(f"1/{other}.nii")) in caught.value.message
    assert "id" in caught.value.hint


def test_g97_two_spellings_of_one_letter_share_a_name_on_some_disks():
    with pytest.raises(VolumeError):
        check_collisions(named("é", "e\u0301"))


def test_cases_of_one_subject_with_names_of_their_own_pass():
    check_collisions(named("sub-1", "sub-1_T2w", "sub-1_ses-b", "sub-10"))
