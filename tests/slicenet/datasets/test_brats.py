import pytest


@pytest.mark.parametrize(
    ("stem", "subject", "visit"),
    [
        ("HGG/Brats18_2013_2_1/Brats18_2013_2_1_", "Brats18_2013_2", "1"),
        ("LGG/BraTS19_TCIA09_141_1/BraTS19_TCIA09_141_1_", "BraTS19_TCIA09_141", "1"),
        ("BraTS20_Training_001/BraTS20_Training_001_", "BraTS20_Training_001", ""),
        ("BraTS2021_00000/BraTS2021_00000_", "BraTS2021_00000", ""),
    ],
)
def test_names_of_2018_to_2021(found, stem, subject, visit):
    names = [f"{stem}{kind}.nii.gz" for kind in ("t1", "t1ce", "t2", "flair", "seg")]
    (scan,) = found("brats", *names).scans
    assert (scan.subject, scan.visit, scan.group) == (subject, visit, "lesioned")
    assert {kind: path.name for kind, path in scan.images.items()} == {
        "T1w": names[0].split("/")[-1], "T1ce": names[1].split("/")[-1],
        "T2w": names[2].split("/")[-1], "FLAIR": names[3].split("/")[-1],
    }  # fmt: skip
    assert scan.truth is not None
    assert scan.truth.name == names[4].split("/")[-1]


def test_visits_of_2023_share_their_subject(found):
    scans = found(
        "brats",
        *(f"BraTS-GLI-00008-{visit}/BraTS-GLI-00008-{visit}-{kind}.nii.gz"
          for visit in ("000", "001") for kind in ("t1n", "t1c", "t2w", "t2f", "seg")),
        "BraTS-MEN-00004-000/BraTS-MEN-00004-000-t1n.nii.gz",
    ).scans  # fmt: skip
    assert [(scan.subject, scan.visit) for scan in scans] == [
        ("BraTS-GLI-00008", "000"), ("BraTS-GLI-00008", "001"), ("BraTS-MEN-00004", "000"),
    ]  # fmt: skip
    assert sorted(scans[0].images) == ["FLAIR", "T1ce", "T1w", "T2w"]
    assert scans[2].truth is None


def test_unpacked_copies_are_read_too(found):
    (scan,) = found("brats", "BraTS20_Training_001/BraTS20_Training_001_t1.nii").scans
    assert scan.images["T1w"].name == "BraTS20_Training_001_t1.nii"
