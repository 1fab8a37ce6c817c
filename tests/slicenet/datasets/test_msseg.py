def patient(place, names=("FLAIR", "T1", "T2", "DP", "GADO")):
    masks = ("Masks/Consensus", "Masks/Brain_Mask", "Masks/ManualSegmentation_1")
    raw = [f"Raw_Data/{name}" for name in names]
    made = [f"Preprocessed_Data/{name}_preprocessed" for name in names]
    return [f"{place}/{name}.nii.gz" for name in (*masks, *raw, *made)]


def test_what_is_preprocessed_comes_first_with_its_brain_and_the_consensus(found):
    names = patient("Training/Center_01/Patient_01") + patient("Testing/Center_03/Patient_02")
    hit = found("msseg", *names)
    scans = hit.layout.preferred(hit.scans)
    assert [(scan.subject, scan.site, scan.tests) for scan in scans] == [
        ("Testing-03-02", "03", True), ("Training-01-01", "01", False),
    ]  # fmt: skip
    for scan in scans:
        assert scan.version == "preproc"
        assert sorted(scan.images) == ["FLAIR", "PDw", "T1ce", "T1w", "T2w"]
        assert scan.truth is not None
        assert scan.truth.name == "Consensus.nii.gz"
        assert scan.mask is not None
        assert scan.mask.name == "Brain_Mask.nii.gz"


def test_raw_scans_are_on_other_grids_than_the_brain_mask(found):
    scans = found("msseg", *patient("Center_01/Patient_01")).scans
    assert {scan.version: scan.mask is None for scan in scans} == {"raw": True, "preproc": False}
