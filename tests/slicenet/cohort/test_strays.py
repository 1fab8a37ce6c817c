import pytest

from slicenet.cohort.folders import Folders
from slicenet.cohort.strays import note_strays


@pytest.fixture
def strays(find, tree):
    """The notice about masks for these cases, in folders searched or not."""

    def told(images, masks, searched=False, named=()):
        top = tree(*images, *masks)
        cases = find(*(top / image for image in images)).cases
        return note_strays(cases, [top] if searched else [], [top / n for n in named], Folders())

    return told


def test_masks_of_a_searched_folder_that_no_image_has_are_named_once(strays):
    masks = ["a_mask.nii", "a_seg.nii", "b_labels.nii", "other_mask.nii", "z_dseg.nii"]
    notices = strays(["a.nii"], masks, searched=True)
    assert [notice.code for notice in notices] == ["W_MASK_IGNORED"]
    assert "a_seg.nii, b_labels.nii, other_mask.nii and 1 more" in notices[0].message


def test_beside_a_file_that_the_user_named_only_its_own_masks_matter(strays):
    notices = strays(["a.nii", "sub-1_T1w.nii"], ["b_seg.nii", "a_seg.nii", "ab_seg.nii",
                     "sub-1_desc-tumour_mask.nii", "sub-11_desc-tumour_mask.nii"])  # fmt: skip
    assert notices[0].message.endswith(": a_seg.nii, sub-1_desc-tumour_mask.nii")


def test_a_mask_that_the_user_named_in_vain_is_told(strays):
    assert "b_mask.nii" in strays(["a.nii"], ["b_mask.nii"], named=["b_mask.nii"])[0].message


def test_masks_that_serve_are_not_worth_a_word(strays):
    masks = ["a_mask.nii", "sub-1_desc-brain_mask.nii", "sub-1_label-lesion_mask.nii"]
    images = ["a.nii", "sub-1_T1w.nii"]
    assert strays(images, masks, searched=True, named=["a_mask.nii"]) == []
