from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import NoInputError, VolumeError
from slicenet.images.options import ReadOptions
from slicenet.metrics.maps import MapFile, find_maps
from slicenet.metrics.truths import find_truths, read_case

OPTIONS = ReadOptions()


def _file(name: str, subject: str = "") -> MapFile:
    return MapFile(name, subject or name.removeprefix("sub-").partition("_")[0], heatmap=None)


def _touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_a_bids_root_tells_lesions_health_and_neither(tmp_path):
    root = _touch(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_label-lesion_mask.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
        "sub-03/anat/sub-03_T1w.nii.gz",
    )
    (root / "participants.tsv").write_text("participant_id\tgroup\nsub-02\tHealthy\nsub-03\tn/a\n")
    found = find_truths(root, [_file(f"sub-0{i}") for i in (1, 2, 3, 4)])
    truth = root / "sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    assert found.masks == {"sub-01": truth, "sub-02": None}


def test_a_table_tells_truth_and_group(tmp_path):
    _touch(tmp_path, "a.nii.gz", "b.nii.gz", "c.nii.gz", "a_lesions.nii.gz")
    table = tmp_path / "truth.csv"
    table.write_text(
        "path,truth,group\na.nii.gz,a_lesions.nii.gz,\nb.nii.gz,,control\nc.nii.gz,,\n"
    )
    found = find_truths(table, [_file("a"), _file("b"), _file("c")])
    assert found.masks == {"a": tmp_path / "a_lesions.nii.gz", "b": None}


def test_a_bids_root_of_segmentations_alone_tells_lesions_and_health(tmp_path):
    root = _touch(
        tmp_path,
        "sub-01/anat/sub-01_dseg.nii.gz",
        "sub-01/anat/sub-01_label-lesion_mask.nii.gz",
        "sub-02/anat/sub-02_dseg.nii.gz",
    )
    (root / "participants.tsv").write_text("participant_id\tgroup\nsub-02\tcontrol\n")
    found = find_truths(root, [_file("sub-01_dseg"), _file("sub-02_dseg")])
    truth = root / "sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    assert found.masks == {"sub-01_dseg": truth, "sub-02_dseg": None}


def test_names_that_differ_are_matched_by_a_subject_that_occurs_once(tmp_path):
    root = _touch(
        tmp_path,
        "sub-01/anat/sub-01_FLAIR.nii.gz",
        "sub-01/anat/sub-01_label-lesion_mask.nii.gz",
    )
    one = find_truths(root, [_file("sub-01_T2w")])
    assert list(one.masks) == ["sub-01_T2w"]
    two = find_truths(root, [_file("sub-01_T2w"), _file("sub-01_T1rho")])
    assert two.masks == {}


def test_maps_of_another_sequence_than_the_usual_find_the_truth_of_their_visit(tmp_path):
    names = [
        f"BraTS-GLI-00008-{visit}/BraTS-GLI-00008-{visit}-{kind}.nii.gz"
        for visit in ("000", "001") for kind in ("t1n", "t2f", "seg")
    ]  # fmt: skip
    root = _touch(tmp_path, *names)
    maps = [_file(f"sub-BraTS-GLI-00008_ses-{visit}_FLAIR") for visit in ("000", "001")]
    found = find_truths(root, maps)
    assert [path.name for path in found.masks.values()] == [
        "BraTS-GLI-00008-000-seg.nii.gz", "BraTS-GLI-00008-001-seg.nii.gz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("case7", "case7.nii.gz"),
        ("case7", "deep/er/case7_seg.nii"),
        ("case7", "case7_mask.nii.gz"),
        ("sub-01", "sub-01/anat/sub-01_label-lesion_mask.nii.gz"),
        ("sub-01", "sub-01_T1w_lesion.nii.gz"),
        ("sub-01_ses-2_T2w", "sub-01_ses-2_label-lesion_mask.nii.gz"),
    ],
)
def test_a_folder_of_masks_is_matched_by_name(tmp_path, name, mask):
    root = _touch(tmp_path, mask, "other_seg.nii.gz")
    found = find_truths(root, [_file(name), _file("stranger")])
    assert found.masks == {name: tmp_path / mask}


def test_a_mask_goes_before_the_image_of_the_same_case(tmp_path):
    root = _touch(tmp_path, "case7.nii.gz", "case7_label-lesion_mask.nii.gz")
    found = find_truths(root, [_file("case7")])
    assert found.masks["case7"].name == "case7_label-lesion_mask.nii.gz"


def test_a_table_without_truth_is_refused(tmp_path):
    _touch(tmp_path, "a.nii.gz")
    (tmp_path / "table.csv").write_text("path\na.nii.gz\n")
    for place in (tmp_path / "table.csv", tmp_path / "nowhere"):
        with pytest.raises(NoInputError):
            find_truths(place, [_file("a")])


def test_files_in_any_order_of_axes_give_the_case_that_was_stored(
    make_case, write_maps, store, tmp_path
):
    case = make_case(3)
    file = find_maps(write_maps([case])).files[0]
    store(tmp_path / "truth.nii.gz", case.truth, np.uint8)
    found, notices = read_case(file, tmp_path / "truth.nii.gz", OPTIONS)
    for name in ("scores", "brain", "truth"):
        assert np.array_equal(getattr(found, name), getattr(case, name)), name
    assert found.spacing == pytest.approx(case.spacing)
    assert (found.volume_score, found.subject) == (case.volume_score, "case3")
    assert notices == ()


def test_e78_labels_of_0_and_255_and_shares_above_a_half_are_lesion(
    make_case, write_maps, store, tmp_path
):
    case = make_case(3)
    file = find_maps(write_maps([case])).files[0]
    for values, dtype in ((case.truth * 255, np.uint8), (case.truth * 0.6 + 0.2, np.float32)):
        store(tmp_path / "truth.nii.gz", values, dtype)
        found, _ = read_case(file, tmp_path / "truth.nii.gz", OPTIONS)
        assert np.array_equal(found.truth, case.truth)


def test_labels_that_do_not_count_are_no_lesion(make_case, write_maps, store, tmp_path):
    case = make_case(3)
    file = find_maps(write_maps([case])).files[0]
    folder = tmp_path / "Utrecht/0"
    (folder / "pre").mkdir(parents=True)
    (folder / "pre/T1.nii.gz").touch()
    other = case.truth & False
    other[tuple(np.argwhere(case.brain & ~case.truth)[0])] = True
    store(folder / "wmh.nii.gz", case.truth + 2 * other, np.uint8)
    truths = find_truths(tmp_path, [_file("sub-Utrecht-0")])
    path, labels = truths.masks["sub-Utrecht-0"], truths.labels["sub-Utrecht-0"]
    found, _ = read_case(file, path, OPTIONS, labels)
    assert np.array_equal(found.truth, case.truth)
    assert read_case(file, path, OPTIONS)[0].truth.sum() == case.truth.sum() + 1


def test_e78_truth_on_another_grid_is_refused_unless_asked_for(
    make_case, write_maps, store, tmp_path
):
    case = make_case(3)
    file = find_maps(write_maps([case])).files[0]
    path = tmp_path / "truth.nii.gz"
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (-9.0, -9.0, -3.0)
    nib.save(nib.Nifti1Image(case.truth.astype(np.uint8), affine), path)
    with pytest.raises(VolumeError) as raised:
        read_case(file, path, OPTIONS)
    assert raised.value.code == "E_GRID"
    found, notices = read_case(file, path, ReadOptions(resample_mask=True))
    assert found.truth.shape == case.truth.shape
    assert [notice.code for notice in notices] == ["W_RESAMPLED"]


def test_an_image_taken_for_truth_is_refused(make_case, write_maps, store, tmp_path):
    case = make_case(3)
    file = find_maps(write_maps([case])).files[0]
    store(tmp_path / "image.nii.gz", case.brain * 100.0, np.float32)
    with pytest.raises(VolumeError, match=r"marks 100% of the brain") as raised:
        read_case(file, tmp_path / "image.nii.gz", OPTIONS)
    assert raised.value.code == "E_TRUTH"


def test_a_plain_map_brings_its_own_brain_and_volume_score(make_case, store, tmp_path):
    case = make_case(3)
    scores = np.where(case.brain, np.abs(case.scores) + 1, np.nan)
    store(tmp_path / "map.nii.gz", scores, np.float32)
    file = MapFile("map", "map", tmp_path / "map.nii.gz")
    found, _ = read_case(file, None, OPTIONS)
    assert np.array_equal(found.brain, case.brain)
    highest = np.sort(found.scores[found.brain])[::-1][: int(0.01 * case.brain.sum())]
    assert found.volume_score == pytest.approx(highest.mean())


def test_constant_and_empty_maps_are_told_apart(make_case, write_maps, store, tmp_path):
    case = make_case(3)
    flat = replace(case, scores=np.full_like(case.scores, 2.0))
    file = find_maps(write_maps([flat])).files[0]
    assert read_case(file, None, OPTIONS)[0].scores.max() == 2
    store(tmp_path / "nothing.nii.gz", np.zeros(case.brain.shape), np.float32)
    with pytest.raises(VolumeError) as raised:
        read_case(MapFile("nothing", "nothing", tmp_path / "nothing.nii.gz"), None, OPTIONS)
    assert raised.value.code == "E_MASK"


def test_a_map_that_is_cut_off_is_named(make_case, write_maps):
    file = find_maps(write_maps([make_case(3)])).files[0]
    file.heatmap.write_bytes(file.heatmap.read_bytes()[:500])
    with pytest.raises(VolumeError, match="sub-case3_desc-anomaly_heatmap"):
        read_case(file, None, OPTIONS)
