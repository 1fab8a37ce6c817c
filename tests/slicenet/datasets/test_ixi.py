def test_a_subject_keeps_its_site_and_all_its_modalities(found):
    scans = found(
        "ixi",
        *("IXI-T1/IXI002-Guys-0828-T1.nii.gz", "IXI-T2/IXI002-Guys-0828-T2.nii.gz"),
        *("IXI-T1/IXI012-HH-1211-T1.nii.gz", "IXI-DTI/IXI012-HH-1211-DTI-00.nii.gz"),
    ).scans
    told = [(scan.subject, scan.site, scan.group, sorted(scan.images)) for scan in scans]
    assert told == [
        ("IXI002", "Guys", "healthy", ["T1w", "T2w"]), ("IXI012", "HH", "healthy", ["T1w"]),
    ]  # fmt: skip


def test_a_flat_folder_of_one_modality_is_known_as_well(found):
    scans = found("ixi", "IXI013-IOP-0839-T1.nii.gz", "IXI002-Guys-0828-T1.nii").scans
    assert {scan.subject for scan in scans} == {"IXI002", "IXI013"}
    assert all(scan.truth is None for scan in scans)
