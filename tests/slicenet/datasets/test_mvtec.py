FILES = (
    "bottle/train/good/000.png",
    "bottle/train/good/001.png",
    "bottle/test/good/000.png",
    "bottle/test/broken_large/000.png",
    "bottle/ground_truth/broken_large/000_mask.png",
)


def test_what_is_tested_is_kept_apart_and_defects_have_their_mask(found):
    hit = found("mvtec", *FILES, inside="bottle")
    told = {scan.subject: (scan.group, scan.tests, scan.truth is not None) for scan in hit.scans}
    assert told == {
        "bottle_train_good_000": ("healthy", False, False),
        "bottle_train_good_001": ("healthy", False, False),
        "bottle_test_good_000": ("healthy", True, False),
        "bottle_test_broken_large_000": ("lesioned", True, True),
    }
    assert hit.layout.whole


def test_several_kinds_have_names_of_their_own(found):
    other = [name.replace("bottle", "hazelnut") for name in FILES]
    subjects = [scan.subject for scan in found("mvtec", *FILES, *other).scans]
    assert len(set(subjects)) == len(subjects) == 8
