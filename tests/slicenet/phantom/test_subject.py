import json

import nibabel as nib
import numpy as np
import pytest

from slicenet.phantom.make import make_phantom
from slicenet.phantom.subject import Subject, write_subject


@pytest.fixture(scope="module")
def lesioned(small, tmp_path_factory):
    subject = Subject(tmp_path_factory.mktemp("out"), 4, True, 7, small)
    assert write_subject(subject) == ()
    return subject


def load(subject, ending):
    return nib.load(subject.out / subject.label / "anat" / f"{subject.label}_{ending}")


def test_the_files_hold_the_phantom_voxel_by_voxel(lesioned, small):
    phantom = make_phantom(small, 7, 4, True)
    expected = {
        "T1w": phantom.volume.voxels[0],
        "desc-brain_mask": phantom.volume.brain,
        "label-lesion_mask": phantom.truth,
    }
    for ending, voxels in expected.items():
        image = load(lesioned, f"{ending}.nii.gz")
        assert np.array_equal(np.asarray(image.dataobj), voxels.numpy())
        assert np.allclose(image.affine, phantom.volume.affine)
        assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 4)
        assert image.header.get_xyzt_units()[0] == "mm"
    assert load(lesioned, "T1w.nii.gz").get_data_dtype() == np.int16


def test_the_row_counts_the_lesions_and_their_volume(lesioned):
    mask = np.asarray(load(lesioned, "label-lesion_mask.nii.gz").dataobj)
    row = lesioned.row
    assert row["participant_id"] == "sub-0005"
    assert row["group"] == "lesioned"
    assert row["lesion_volume"] == pytest.approx(mask.sum() * 4.0**3)
    record = json.loads(
        (lesioned.out / "sub-0005/anat/sub-0005_label-lesion_mask.json").read_text()
    )
    assert row["lesions"] == len(record["Lesions"])
    first = record["Lesions"][0]
    image = load(lesioned, "label-lesion_mask.nii.gz")
    centre = nib.affines.apply_affine(np.linalg.inv(image.affine), first["Centre"])
    around = tuple(slice(max(int(c) - 2, 0), int(c) + 4) for c in centre)
    assert mask[around].any()


def test_a_subject_is_complete_once_every_file_is_there(lesioned, small, tmp_path):
    assert lesioned.complete
    healthy = Subject(tmp_path, 0, False, 7, small)
    assert not healthy.complete
    healthy.write()
    assert healthy.complete
    assert healthy.row["lesion_volume"] == 0
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        "sub-0001_T1w.nii.gz",
        "sub-0001_T1w.json",
        "sub-0001_desc-brain_mask.nii.gz",
    }
    (tmp_path / "sub-0001/anat/sub-0001_desc-brain_mask.nii.gz").unlink()
    assert not healthy.complete
