import pytest

from slicenet.errors import ConfigError, VolumeError

BRATS = [
    f"BraTS-GLI-00008-{visit}/BraTS-GLI-00008-{visit}-{kind}.nii.gz"
    for visit in ("000", "001")
    for kind in ("t1n", "t1c", "t2w", "t2f", "seg")
]
WMH = [
    f"training/Utrecht/{number}/{name}.nii.gz"
    for number in (0, 2)
    for name in ("pre/FLAIR", "pre/T1", "orig/FLAIR", "orig/T1", "orig/3DT1", "wmh")
]
ATLAS = "Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym_"


def said(cohort):
    return {notice.code: notice.message for notice in cohort.notices}


def test_a_public_data_set_gives_subjects_groups_and_truths(find, tree):
    cohort = find(tree(*BRATS))
    assert [case.name for case in cohort.cases] == [
        "sub-BraTS-GLI-00008_ses-000", "sub-BraTS-GLI-00008_ses-001",
    ]  # fmt: skip
    assert {case.subject for case in cohort.cases} == {"BraTS-GLI-00008"}
    assert [case.truth.name for case in cohort.cases] == [
        "BraTS-GLI-00008-000-seg.nii.gz", "BraTS-GLI-00008-001-seg.nii.gz",
    ]  # fmt: skip
    assert not cohort.healthy().cases


def test_what_it_is_read_as_is_said_with_what_there_is_to_choose_from(find, tree):
    told = said(find(tree(*BRATS)))
    assert "read as BraTS, 1 subject (1 lesioned)" in told["W_LAYOUT"]
    assert "--suffix chooses among T1w, T1ce, T2w, FLAIR" in told["W_LAYOUT"]
    assert "2 FLAIR" in told["W_LEFT_OUT"]


def test_filters_choose_modality_visit_subject_and_sequences(find, tree):
    top = tree(*BRATS, "BraTS-GLI-00009-000/BraTS-GLI-00009-000-t1n.nii.gz")
    one = find(top, suffix=("FLAIR",), session=("001",))
    assert [case.images[0].name for case in one.cases] == ["BraTS-GLI-00008-001-t2f.nii.gz"]
    assert [c.subject for c in find(top, participant_label=("BraTS-GLI-00009",)).cases] == [
        "BraTS-GLI-00009"
    ]
    joined = find(top, sequences=("T1w", "FLAIR"))
    assert [len(case.images) for case in joined.cases] == [2, 2]
    assert "no FLAIR" in said(joined)["W_SEQUENCE"]


def test_the_default_version_is_taken_and_another_on_demand(find, tree):
    top = tree(*WMH)
    cohort = find(top, suffix=("FLAIR",))
    assert {case.images[0].parent.name for case in cohort.cases} == {"pre"}
    assert {case.labels for case in cohort.cases} == {(1,)}
    assert {case.site for case in cohort.cases} == {"Utrecht"}
    other = find(top, suffix=("FLAIR",), desc=("orig",))
    assert {case.images[0].parent.name for case in other.cases} == {"orig"}
    assert [case.name for case in other.cases] == [case.name for case in cohort.cases]


def test_names_of_bids_stay_and_get_the_truth_that_bids_does_not_know(find, tree):
    top = tree(f"{ATLAS}T1w.nii.gz", f"{ATLAS}label-L_desc-T1lesion_mask.nii.gz")
    (case,) = find(top).cases
    assert case.name == "sub-r001s001_ses-1_space-MNI152NLin2009aSym"
    assert case.in_template_space
    assert case.truth.name.endswith("T1lesion_mask.nii.gz")
    assert (case.group, case.site) == ("lesioned", "r001")


def test_a_brain_mask_beside_an_image_of_a_data_set_is_found(find, tree):
    top = tree("IXI002-Guys-0828-T1.nii.gz", "IXI002-Guys-0828-T1_mask.nii.gz")
    (case,) = find(top).cases
    assert case.mask == top / "IXI002-Guys-0828-T1_mask.nii.gz"
    assert case.is_healthy


def test_two_images_of_one_scan_are_refused_and_none_is_lost(find, tree):
    with pytest.raises(VolumeError) as caught:
        find(tree("a/IXI002-Guys-0828-T1.nii.gz", "b/IXI002-Guys-0828-T1.nii.gz"))
    assert caught.value.code == "E_COLLISION"
    with pytest.raises(ConfigError, match="no T1w"):
        find(tree("c/IXI002-Guys-0828-T2.nii.gz", "c/IXI002-Guys-0828-PD.nii.gz") / "c")


def test_images_that_are_none_of_the_set_are_named(find, tree):
    top = tree("IXI002-Guys-0828-T1.nii.gz", "IXI012-HH-1211-T1.nii.gz", "mine.nii.gz")
    told = said(find(top))
    assert told["W_LEFT_OUT"] == "left out because IXI has no such names: mine.nii.gz"


def test_sets_are_joined_with_each_other_and_with_plain_files(find, tree):
    top = tree("ixi/IXI002-Guys-0828-T1.nii.gz", *(f"brats/{name}" for name in BRATS), "x/a.nii")
    cohort = find(top / "ixi", top / "brats", top / "x")
    assert [case.group for case in cohort.cases] == ["", "lesioned", "lesioned", "healthy"]
