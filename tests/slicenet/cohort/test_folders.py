import os

import pytest

from slicenet.cohort.folders import Folders
from slicenet.cohort.naming import parse


def images(top):
    return [name for folder, _ in Folders().walk(top) for name in folder.images]


def test_images_are_found_at_every_depth_in_the_order_of_their_names(tree):
    top = tree("b.nii", "a/z.nii.gz", "a/y.MGZ", "a/deep/er/x.mgh", "a/notes.txt")
    assert images(top) == ["b.nii", "y.MGZ", "z.nii.gz", "x.mgh"]


def test_hidden_files_and_folders_are_passed_over(tree):
    assert images(tree(".a.nii", "._b.nii", ".git/c.nii", "d.nii")) == ["d.nii"]


def test_maps_that_slicenet_wrote_are_no_inputs(tree):
    names = ["sub-1_mod-T2w_desc-anomaly_heatmap.nii.gz", "c_desc-anomaly_heatmap.nii.gz"]
    top = tree(*names, "c_label-anomaly_mask.nii.gz", "anomaly.nii")
    assert images(top) == ["anomaly.nii"]
    assert Folders()[top].strays == ()


def test_a_pair_is_one_image_and_half_a_pair_is_listed_too(tree):
    top = tree("a.hdr", "a.img", "b.hdr", "c.img", "d.hdr.gz", "d.img.gz")
    assert images(top) == ["a.img", "b.hdr", "c.img", "d.img.gz"]


def test_a_series_of_dicom_files_stands_for_its_folder(tree):
    top = tree("s/1.dcm", "s/2.DCM", "s/3.ima", "one/x.dcm")
    assert images(top) == ["x.dcm", ""]


def test_volumes_of_other_formats_are_listed_so_that_reading_can_name_the_converter(tree):
    assert images(tree("a.nrrd", "b.mha", "c.mnc")) == ["a.nrrd", "b.mha", "c.mnc"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_only_looks_like_an_image_is_listed_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    (tmp_path / "lost.nii").symlink_to("nowhere")
    assert images(tmp_path) == ["folder.nii.gz", "loop.nii", "lost.nii", "pipe.nii"]


def test_links_that_lead_back_are_followed_once(tree):
    top = tree("a/x.nii")
    (top / "a/up").symlink_to(top, target_is_directory=True)
    (top / "self").symlink_to("self")
    assert images(top) == ["x.nii"]


@pytest.mark.parametrize("mark", ["dataset_description.json", "sub-1/anat/sub-1_T1w.nii"])
def test_derivatives_are_skipped_in_a_bids_root_only(tree, mark):
    plain = tree("derivatives/x.nii")
    assert images(plain) == ["x.nii"]
    assert "x.nii" not in images(tree(mark, "sourcedata/y.nii"))


def test_a_root_tells_everything_below_it_that_it_lies_in_one(tree):
    top = tree("data/dataset_description.json", "data/sub-1/anat/a.nii", "other/b.nii")
    inside = {folder.path.name: in_root for folder, in_root in Folders().walk(top)}
    assert inside["anat"]
    assert inside["data"]
    assert not inside["other"]


def test_a_brain_mask_shares_all_entities_with_its_image_but_desc(tree):
    top = tree(
        "sub-1_space-A_res-2_desc-brain_T1w.nii.gz",
        "sub-1_space-A_res-2_desc-brain_mask.nii.gz",
        "sub-1_space-B_desc-brain_mask.nii.gz",
        "sub-1_desc-tumour_mask.nii.gz",
        "sub-2_T1w.nii.gz",
        "sub-2_desc-brain_mask.nii",
    )
    folder = Folders()[top]
    first = folder.brain_mask(parse("sub-1_space-A_res-2_desc-brain_T1w.nii.gz"))
    assert first == top / "sub-1_space-A_res-2_desc-brain_mask.nii.gz"
    assert folder.brain_mask(parse("sub-2_T1w.nii.gz")) == top / "sub-2_desc-brain_mask.nii"
    assert folder.strays == (
        "sub-1_desc-tumour_mask.nii.gz",
        "sub-1_space-B_desc-brain_mask.nii.gz",
    )


def test_a_mask_made_for_one_sequence_wins_over_the_one_for_all(tree):
    top = tree(
        "sub-1_T2w.nii", "sub-1_T1w.nii", "sub-1_desc-brain_mask.nii",
        "sub-1_mod-T2w_desc-brain_mask.nii",
    )  # fmt: skip
    folder = Folders()[top]
    assert folder.brain_mask(parse("sub-1_T2w.nii")).name == "sub-1_mod-T2w_desc-brain_mask.nii"
    assert folder.brain_mask(parse("sub-1_T1w.nii")).name == "sub-1_desc-brain_mask.nii"


def test_truth_is_the_lesion_mask_of_bids_and_nothing_else(tree):
    top = tree(
        "sub-1_T1w.nii", "sub-1_label-lesion_mask.nii", "case.nii", "case_lesion_mask.nii",
        "sub-2_T1w.nii", "sub-2_label-tumour_mask.nii", "sub-2_label-lesion_dseg.nii",
    )  # fmt: skip
    folder = Folders()[top]
    assert folder.lesion_mask(parse("sub-1_T1w.nii")) == top / "sub-1_label-lesion_mask.nii"
    assert folder.lesion_mask(parse("sub-2_T1w.nii")) is None
    assert folder.lesion_mask(parse("case.nii")) is None
    assert len(folder.strays) == 3


def test_a_plain_image_has_the_mask_that_carries_its_whole_stem(tree):
    top = tree("a.nii.gz", "a_mask.nii", "ab.nii", "b_seg.nii.gz", "c_mask.nii")
    folder = Folders()[top]
    assert folder.brain_mask(parse("a.nii.gz")) == top / "a_mask.nii"
    assert folder.brain_mask(parse("ab.nii")) is None
    assert folder.strays == ("b_seg.nii.gz", "c_mask.nii")


def test_a_folder_that_cannot_be_listed_says_why(tmp_path):
    assert Folders()[tmp_path / "none"].problem
    assert Folders()[tmp_path / "a\0b"].problem
