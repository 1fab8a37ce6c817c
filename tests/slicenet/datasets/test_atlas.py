START = "sub-{0}/ses-{1}/anat/sub-{0}_ses-{1}_space-MNI152NLin2009aSym_"


def test_the_lesion_lies_beside_its_image_and_sessions_share_a_subject(found):
    names = [
        f"Training/R001/{START.format('r001s001', visit)}{what}.nii.gz"
        for visit in ("1", "2")
        for what in ("T1w", "label-L_desc-T1lesion_mask")
    ]
    scans = found("atlas", *names).scans
    assert [(scan.subject, scan.visit, scan.site) for scan in scans] == [
        ("r001s001", "1", "r001"), ("r001s001", "2", "r001"),
    ]  # fmt: skip
    assert [scan.truth.name for scan in scans if scan.truth] == [
        name.split("/")[-1] for name in names[1::2]
    ]


def test_the_test_release_has_no_truth(found):
    (scan,) = found("atlas", f"Testing/R003/{START.format('r003s005', 1)}T1w.nii.gz").scans
    assert scan.tests
    assert scan.truth is None
