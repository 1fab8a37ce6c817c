import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from slicenet.cohort import Query, find_cohort
from slicenet.preparing.naming import names_of
from slicenet.preparing.settings import PrepareSettings
from slicenet.preparing.subject import Task, prepare_case

SETTINGS = PrepareSettings(3.0)


def save(path, values, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Stored front to back, bottom to top, right to left, as scanners may.
    image = nib.Nifti1Image(values, affine)
    turn = nib.orientations.axcodes2ornt("PSR")
    nib.save(image.as_reoriented(nib.orientations.ornt_transform(
        nib.orientations.io_orientation(affine), turn)), path)  # fmt: skip


def task_of(folder, out, **options):
    cohort = find_cohort([folder])
    case = cohort.cases[0]
    names = names_of(case, out, SETTINGS.entities, options.get("sequences", ()))
    return Task(case, names, cohort.options, SETTINGS)


@pytest.fixture(scope="module")
def stripped(head, tmp_path_factory):
    """A scan with its mask and a lesion, prepared: its task and row."""
    folder, out = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out")
    lesion = np.zeros(head.brain.shape, np.uint8)
    lesion[30:34, 30:34, 40:44] = 1
    save(folder / "sub-1_T1w.nii.gz", head.values, head.affine)
    save(folder / "sub-1_desc-brain_mask.nii.gz", head.brain.astype(np.uint8), head.affine)
    save(folder / "sub-1_label-lesion_mask.nii.gz", lesion, head.affine)
    task = task_of(folder, out)
    return task, prepare_case(task), lesion


def test_a_brain_with_its_mask_lands_on_the_average_one(stripped, head, off):
    task, row, _ = stripped
    assert (row["status"], row["method"], row["reason"]) == ("ok", "given", "")
    image, mask = (nib.load(path) for path in (task.names.image(0), task.names.mask("desc-brain")))
    assert image.shape == SETTINGS.grid.shape == mask.shape
    assert np.allclose(image.affine, SETTINGS.grid.affine)
    assert int(image.header["sform_code"]) == 4
    outside = np.asarray(mask.dataobj) == 0
    assert (np.asarray(image.dataobj)[outside] == 0).all()
    assert row["brain_ml"] == pytest.approx(head.brain.sum() * 27 / 1000)


def test_the_transform_is_what_itk_resamples_with(stripped, head, off):
    task, *_ = stripped
    transform = sitk.ReadTransform(str(task.names.transform(0, "MNI152NLin2009aSym")))
    for place in ([0.0, 0, 0], [40, -60, 20]):
        x, y, z = transform.TransformPoint((-place[0], -place[1], place[2]))
        assert np.linalg.norm([-x, -y, z] - (head.matrix @ [*place, 1])[:3]) < 3


def test_a_lesion_goes_along(stripped, head):
    task, _, lesion = stripped
    moved = nib.load(task.names.mask("label-lesion"))
    places = nib.affines.apply_affine(moved.affine, np.argwhere(np.asarray(moved.dataobj)))
    stored = nib.affines.apply_affine(head.affine, np.argwhere(lesion)).mean(0)
    wanted = nib.affines.apply_affine(np.linalg.inv(head.matrix), stored)
    assert np.linalg.norm(places.mean(0) - wanted) < 4


def test_a_whole_case_is_known_again_until_anything_changes(stripped, head, tmp_path):
    task, row, _ = stripped
    known = task.row()
    assert known["name"] == row["name"]
    assert known["similarity"] == row["similarity"]
    content = json.loads(task.names.sidecar.read_text())
    assert [source["name"] for source in content["slicenet"]["sources"]] == [
        "sub-1_T1w.nii.gz", "sub-1_desc-brain_mask.nii.gz", "sub-1_label-lesion_mask.nii.gz",
    ]  # fmt: skip
    finer = Task(task.case, task.names, task.options, PrepareSettings(2.0))
    assert finer.row() is None
    task.names.sidecar.rename(tmp_path / "aside")
    assert task.row() is None
    (tmp_path / "aside").rename(task.names.sidecar)
    assert task.row() == known


@pytest.mark.parametrize("which", range(6))
def test_a_case_that_lacks_a_file_is_not_whole(stripped, tmp_path, which):
    task, *_ = stripped
    path = list(task.results())[which]
    path.rename(tmp_path / "aside")
    assert task.row() is None
    (tmp_path / "aside").rename(path)
    assert task.row()


def test_what_lies_nowhere_near_a_brain_is_flagged_and_not_passed_on(tmp_path):
    noise = np.random.default_rng(0).normal(100, 20, (40, 48, 40)).astype(np.float32)
    place = np.diag([3.0, 3.0, 3.0, 1.0])
    save(tmp_path / "sub-1_T1w.nii.gz", noise, place)
    inside = np.zeros(noise.shape, np.uint8)
    inside[8:32, 8:40, 8:32] = 1
    save(tmp_path / "sub-1_desc-brain_mask.nii.gz", inside, place)
    task = task_of(tmp_path, tmp_path / "out")
    row = prepare_case(task)
    assert (row["status"], row["code"]) == ("flagged", "E_REGISTRATION")
    assert "similarity" in row["reason"]
    assert task.names.picture.is_file()
    assert not task.names.image(0).exists()
    assert not task.names.sidecar.exists()


def test_what_cannot_be_read_fails_alone(tmp_path):
    (tmp_path / "sub-1_T1w.nii.gz").write_bytes(b"junk")
    row = prepare_case(task_of(tmp_path, tmp_path / "out"))
    assert row["status"] == "failed"
    assert row["code"].startswith("E_")
    assert "sub-1_T1w.nii.gz" in row["reason"]


def test_another_sequence_follows_the_first(head, tmp_path):
    moved = head.affine.copy()
    moved[:3, 3] += 4, -3, 5  # the head has moved in between, and its contrast is another
    dark = np.where(head.values > 50, head.values.max() - head.values, 0)
    save(tmp_path / "in" / "sub-1_T1w.nii.gz", head.values, head.affine)
    save(tmp_path / "in" / "sub-1_T2w.nii.gz", dark.astype(np.float32), moved)
    save(tmp_path / "in" / "sub-1_desc-brain_mask.nii.gz", head.brain.astype(np.uint8), head.affine)
    cohort = find_cohort([tmp_path / "in"], query=Query(sequences=("T1w", "T2w")))
    names = names_of(cohort.cases[0], tmp_path / "out", SETTINGS.entities)
    row = prepare_case(Task(cohort.cases[0], names, cohort.options, SETTINGS))
    assert row["status"] == "ok", row
    first, second = (np.asarray(nib.load(names.image(index)).dataobj) for index in (0, 1))
    inside = first > 0
    assert np.corrcoef(first[inside], second[inside])[0, 1] < -0.9
    assert names.transform(1, "MNI152NLin2009aSym").is_file()
