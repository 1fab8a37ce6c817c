import pytest

from slicenet.cohort.naming import ending, output_folder, output_name, output_prefix, parse, safe


@pytest.mark.parametrize(
    ("file", "name", "prefix", "folder"),
    [
        ("sub-01_T1w.nii.gz", "sub-01", "sub-01", "sub-01/anat"),
        ("sub-01.nii", "sub-01", "sub-01", "sub-01/anat"),
        ("sub-01_ses-2_T2w.nii", "sub-01_ses-2_T2w", "sub-01_ses-2_mod-T2w", "sub-01/ses-2/anat"),
        (
            "sub-01_ses-2_run-1_space-MNI_res-2_desc-brain_FLAIR.mgz",
            "sub-01_ses-2_run-1_space-MNI_res-2_FLAIR",
            "sub-01_ses-2_run-1_mod-FLAIR_space-MNI_res-2",
            "sub-01/ses-2/anat",
        ),
        ("case7.nii.gz", "case7", "case7", "case7"),
        ("case7_desc-brain_T1w.nii.gz", *["case7_desc-brain_T1w"] * 3),
        ("sub-01_T1w_brain.nii.gz", *["sub-01_T1w_brain"] * 3),  # BIDS ends with the suffix
    ],
)
def test_outputs_keep_all_entities_but_desc_and_the_suffix_when_it_is_not_t1w(
    file, name, prefix, folder
):
    assert output_name(parse(file)) == name
    assert output_prefix(name) == prefix
    assert str(output_folder(name)) == folder


def test_the_prefix_of_a_suffix_is_a_name_that_bids_can_parse():
    prefix = output_prefix("sub-01_acq-x_space-MNI_T2w")
    again = parse(f"{prefix}_desc-anomaly_heatmap.nii.gz")
    assert again.in_bids
    assert again.suffix == "heatmap"
    assert again.entity("mod") == "T2w"


@pytest.mark.parametrize("name", ["a.NII.GZ", "a.Nii", "a.img", "a.hdr.gz", "a.mgh", "é\n.nii"])
def test_endings_are_known_in_upper_and_lower_case(name):
    assert name.lower().endswith(ending(name))
    assert ending(name)


@pytest.mark.parametrize(
    "name", ["a", "a.txt", ".nii.gz", "nii.gz", "a.nii.gz.part", "a.nii\n", ""]
)
def test_other_files_claim_no_ending(name):
    assert ending(name) == ""


@pytest.mark.parametrize(
    "name",
    ["sub-01_desc-brain_mask.nii", "sub-01_dseg.nii", "sub-01_label-GM_probseg.nii", "a_seg.nii",
     "a_mask.mgz", "mask.nii", "a_Mask.nii"],
)  # fmt: skip
def test_masks_and_segmentations_are_told_by_their_names(name):
    assert parse(name).is_mask


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("sub-01_dseg.nii", True), ("sub-01_desc-aseg_dseg.nii", True), ("a_seg.nii", True),
     ("sub-01_label-lesion_dseg.nii", False), ("sub-01_label-GM_probseg.nii", False),
     ("sub-01_desc-anomaly_dseg.nii", False), ("a_mask.nii", False), ("a.nii", False)],
)  # fmt: skip
def test_labels_of_a_whole_brain_are_a_segmentation(name, is_one):
    assert parse(name).is_segmentation == is_one


@pytest.mark.parametrize("name", ["sub-mask_T1w.nii", "unmasked.nii", "a_masked.nii", "aseg.mgz"])
def test_a_name_that_only_contains_the_word_is_no_mask(name):
    assert not parse(name).is_mask


@pytest.mark.parametrize(
    "stem",
    ["../../etc", "/etc/passwd", "..", ".", "", "-rf", ".hidden", "a\nb", "a\tb", "a\0b",
     "a\\b", "caf\udce9", "x" * 255, "é" * 127, "🧠" * 60],
)  # fmt: skip
def test_a_hostile_stem_becomes_one_harmless_part_of_a_path(stem):
    name = safe(stem)
    assert name not in ("", ".", "..")
    assert not set(name) & set("/\\\n\t\0")
    assert name[0] not in ".-"
    assert len(name.encode()) <= 180  # and is UTF-8
    assert safe(name) == name


def test_stems_that_are_cleaned_alike_stay_apart():
    hostile = ["a\nb", "a\tb", "a/b", "caf\udce9", "caf\udce8", "x" * 250, "x" * 251, "", "-", "."]
    assert len({safe(stem) for stem in hostile}) == len(hostile)


@pytest.mark.parametrize("stem", ["case7", "🧠", "Müller 1", "日本", "a.b-c_d"])
def test_a_harmless_stem_stays_as_it_is(stem):
    assert safe(stem) == stem


def test_labels_of_bids_names_cannot_leave_the_output_folder():
    for name in ("sub-.._T1w", "sub-01_ses-.._T1w", "sub-../x", "sub-01_ses-"):
        folder = output_folder(output_name(parse(f"{name}.nii")))
        assert ".." not in folder.parts
        assert not folder.is_absolute()


def test_an_entity_given_twice_makes_no_bids_name():
    assert not parse("sub-01_run-1_run-2_T1w.nii").in_bids
