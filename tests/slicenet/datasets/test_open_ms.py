from slicenet.datasets import recognise


def test_masks_are_found_with_and_without_the_patient_in_their_name(found):
    top = "cross_sectional/coregistered_resampled"
    scans = found(
        "open-ms",
        *(f"{top}/patient01/{name}.nii.gz"
          for name in ("T1W", "T2W", "FLAIR", "T1WKS", "consensus_gt", "brainmask")),
        *(f"{top}/patient06/{name}.nii.gz"
          for name in ("FLAIR", "patient06_consensus_gt", "patient06_brainmask")),
    ).scans  # fmt: skip
    assert [scan.subject for scan in scans] == ["cross-patient01", "cross-patient06"]
    assert sorted(scans[0].images) == ["FLAIR", "T1ce", "T1w", "T2w"]
    for scan in scans:
        assert scan.truth is not None
        assert scan.mask is not None
        assert scan.version == "coregistered-resampled"


def test_what_has_changed_between_two_studies_is_no_truth_of_either(found):
    names = ("study1_FLAIR", "study2_FLAIR", "gt", "brainmask")
    scans = found(
        "open-ms", *(f"longitudinal/coregistered/patient01/{name}.nii.gz" for name in names)
    ).scans
    assert [(scan.subject, scan.visit, scan.truth) for scan in scans] == [
        ("longitudinal-patient01", "1", None),
        ("longitudinal-patient01", "2", None),
    ]


def test_of_several_versions_the_resampled_one_is_preferred(found):
    hit = found(
        "open-ms",
        *(f"cross_sectional/{version}/patient02/T1W.nii.gz"
          for version in ("raw", "coregistered", "coregistered_resampled")),
    )  # fmt: skip
    assert len(hit.scans) == 3
    assert [scan.version for scan in hit.layout.preferred(hit.scans)] == ["coregistered-resampled"]


def test_patients_that_are_only_numbered_alike_are_of_no_set(tree, found):
    names = [f"mine/patient01/{name}.nii.gz" for name in ("T1W", "FLAIR", "brainmask")]
    assert recognise(tree(*names)) is None
    (scan,) = found("open-ms", *names, "mine/patient01/consensus_gt.nii.gz").scans
    assert scan.truth is not None
