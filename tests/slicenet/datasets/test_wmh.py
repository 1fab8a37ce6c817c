FILES = [
    f"{place}/{name}.nii.gz"
    for place in (
        "training/Utrecht/0", "training/Singapore/50", "training/Amsterdam/GE3T/100",
        "test/Amsterdam/Philips_VU .PETMR_01./160",
    )
    for name in ("pre/FLAIR", "pre/T1", "pre/3DT1", "orig/FLAIR", "orig/T1", "orig/3DT1", "wmh")
]  # fmt: skip


def test_only_the_first_label_counts_and_the_test_set_stays_one(found):
    hit = found("wmh", *FILES)
    scans = hit.layout.preferred(hit.scans)
    assert [(scan.subject, scan.tests, scan.version) for scan in scans] == [
        ("Philips_VU-160", True, "pre"), ("GE3T-100", False, "pre"),
        ("Singapore-50", False, "pre"), ("Utrecht-0", False, "pre"),
    ]  # fmt: skip
    assert {scan.labels for scan in scans} == {(1,)}
    assert all(scan.truth and scan.truth.name == "wmh.nii.gz" for scan in scans)
    assert all(scan.truth.parent in scan.images["T1w"].parents for scan in scans)


def test_both_versions_are_there_to_be_chosen_from(found):
    scans = found("wmh", *FILES, inside="training/Utrecht").scans
    assert [scan.version for scan in scans] == ["orig", "pre"]
    assert [sorted(scan.images) for scan in scans] == [["FLAIR", "T1w"]] * 2


def test_the_first_release_has_a_scanner_beside_the_sites(found):
    (scan,) = found("wmh", "GE3T/100/pre/FLAIR.nii.gz", "GE3T/100/wmh.nii.gz").scans
    assert (scan.subject, scan.site, scan.tests) == ("GE3T-100", "GE3T", False)
