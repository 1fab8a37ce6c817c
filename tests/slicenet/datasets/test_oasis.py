import pytest

PLACE = "{0}/PROCESSED/MPRAGE/T88_111/{0}_mpr_n4_anon_111_t88_{1}gfc"
VISITS = ("OAS1_0001_MR1", "OAS1_0003_MR1", "OAS1_0061_MR1", "OAS1_0061_MR2")
HEADER = "ID,M/F,Hand,Age,Educ,SES,MMSE,CDR,eTIV,nWBV,ASF,Delay"


@pytest.fixture
def names():
    stems = [PLACE.format(visit, "masked_") for visit in VISITS]
    return [f"disc1/{stem}.{half}" for stem in stems for half in ("hdr", "img")]


def test_visits_share_a_subject_and_the_rating_tells_the_healthy(tree, found, names):
    table = tree() / "oasis_cross-sectional.csv"
    table.write_text(
        f"{HEADER}\nOAS1_0001_MR1,F,R,74,2,3,29,0,1344,0.743,1.306,N/A\n"
        "OAS1_0003_MR1,F,R,73,4,3,27,0.5,1454,0.708,1.207,N/A\n"
        "OAS1_0061_MR1,F,R,20,,,,,1313,0.805,1.337,N/A\n"
    )
    scans = found("oasis", *names).scans
    assert [(scan.subject, scan.visit, scan.group) for scan in scans] == [
        ("OAS1_0001", "MR1", "healthy"), ("OAS1_0003", "MR1", "demented"),
        ("OAS1_0061", "MR1", ""), ("OAS1_0061", "MR2", ""),
    ]  # fmt: skip
    assert scans[0].images["T1w"].suffix == ".img"


@pytest.mark.parametrize("content", [b"", b"ID;CDR\n", b"\xff\xfe", b"ID,CDR\nOAS1_0001_MR1,?\n"])
def test_without_a_table_that_can_be_read_nobody_knows_who_is_healthy(tree, found, names, content):
    (tree() / "oasis_cross-sectional.csv").write_bytes(content)
    assert {scan.group for scan in found("oasis", *names).scans} == {""}


def test_raw_scans_beside_them_are_known_and_the_stripped_version_preferred(found, names):
    raw = [f"disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-{number}_anon.img" for number in range(9)]
    hit = found("oasis", *names, *raw, f"disc1/{PLACE.format(VISITS[0], '')}.img")
    assert hit.foreign == ()
    assert len(hit.scans) == 5
    assert {scan.version for scan in hit.layout.preferred(hit.scans)} == {"masked"}


def test_oasis_3_has_names_of_bids_in_folders_of_its_own(found):
    start = "OAS30001_MR_d0129/anat1/sub-OAS30001_ses-d0129"
    scans = found("oasis", f"{start}_run-01_T1w.nii.gz", f"{start}_T2w.nii.gz").scans
    assert [(scan.subject, scan.visit, sorted(scan.images)) for scan in scans] == [
        ("OAS30001", "d0129", ["T1w", "T2w"]),
    ]


def test_what_was_converted_to_nifti_stands_for_the_analyze_file_beside_it(found, names):
    scans = found("oasis", *names, names[0].replace(".hdr", ".nii.gz")).scans
    assert [(scan.subject, scan.images["T1w"].suffix) for scan in scans] == [
        ("OAS1_0001", ".gz"), ("OAS1_0003", ".img"), ("OAS1_0061", ".img"), ("OAS1_0061", ".img"),
    ]  # fmt: skip
