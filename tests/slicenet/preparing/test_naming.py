from pathlib import Path, PurePosixPath

import pytest

from slicenet.cohort import Case
from slicenet.errors import VolumeError
from slicenet.preparing.naming import check_names, names_of

SPACE = "space-MNI152NLin2009aSym_res-1"


def case(name, *images):
    return Case(name, tuple(map(Path, images or (f"{name}.nii.gz",))), PurePosixPath(name))


def test_entities_of_a_bids_name_are_kept_but_for_those_of_its_version():
    one = case("sub-01_ses-2_run-3_space-orig", "sub-01_ses-2_run-3_space-orig_desc-raw_FLAIR.nii")
    names = names_of(one, Path("out"), SPACE)
    stem = f"out/sub-01/ses-2/anat/sub-01_ses-2_run-3_{SPACE}_desc-brain_FLAIR"
    assert names.image(0) == Path(f"{stem}.nii.gz")
    assert names.sidecar == Path(f"{stem}.json")
    assert names.mask("desc-brain").name == f"sub-01_ses-2_run-3_{SPACE}_desc-brain_mask.nii.gz"
    assert (
        names.transform(0, "MNI").name == "sub-01_ses-2_run-3_from-FLAIR_to-MNI_mode-image_xfm.txt"
    )
    assert names.picture == Path(
        "out/sub-01/ses-2/figures/sub-01_ses-2_run-3_desc-registration_FLAIR.png"
    )


def test_any_other_name_becomes_a_subject():
    names = names_of(case("my scan_7"), Path("out"), SPACE)
    assert names.image(0) == Path(f"out/sub-myscan7/anat/sub-myscan7_{SPACE}_desc-brain_T1w.nii.gz")
    assert names_of(case("___"), Path(), SPACE).stem == "sub-0"


def test_sequences_are_called_what_the_user_calls_them():
    one = case("a", "a1.nii", "a2.nii")
    assert names_of(one, Path(), SPACE, ("T1w", "FLAIR")).suffixes == ("T1w", "FLAIR")
    with pytest.raises(VolumeError, match="several images of one kind"):
        check_names([(one, names_of(one, Path(), SPACE))])


def test_two_cases_never_share_a_file():
    pairs = [(one, names_of(one, Path("out"), SPACE)) for one in (case("a_1"), case("A1"))]
    with pytest.raises(VolumeError, match="a_1 and A1 would both become sub-") as caught:
        check_names(pairs)
    assert caught.value.code == "E_COLLISION"
    check_names(pairs[:1])


def test_a_case_tells_the_suffix_that_its_file_does_not():
    one = case("sub-BraTS-GLI-00008_ses-000_FLAIR", "BraTS-GLI-00008-000-t2f.nii.gz")
    names = names_of(one, Path("out"), SPACE)
    assert names.image(0).name.endswith("_desc-brain_FLAIR.nii.gz")
    assert names.subject == "sub-BraTS-GLI-00008"
