def test_folders_tell_the_group_and_copies_are_no_scans(found):
    scans = found(
        "br35h", "yes/y0.jpg", "yes/y1.jpg", "no/no0.jpg", "pred/pred0.jpg",
        "Br35H-Mask-RCNN/TRAIN/y0.jpg", "Br35H-Mask-RCNN/annotations_all.json",
    ).scans  # fmt: skip
    assert {scan.subject: scan.group for scan in scans} == {
        "y0": "lesioned", "y1": "lesioned", "no0": "healthy", "pred0": "",
    }  # fmt: skip
    assert all(scan.truth is None for scan in scans)


def test_one_of_its_folders_alone_is_known(found):
    (scan,) = found("br35h", "Br35H/no/no0.jpg", "Br35H/yes/y0.jpg", inside="Br35H/no").scans
    assert scan.group == "healthy"
