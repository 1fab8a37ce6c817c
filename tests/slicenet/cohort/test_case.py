from dataclasses import replace
from pathlib import PurePosixPath

import nibabel as nib
import numpy as np
import pytest

from slicenet.cohort.case import Case
from slicenet.errors import VolumeError
from slicenet.images.options import ReadOptions


@pytest.fixture
def case(brain_file):
    image = brain_file("sub-1_T2w.nii.gz")
    return Case("sub-1_T2w", (image,), PurePosixPath("sub-1/anat"))


@pytest.fixture
def with_truth(case, tmp_path):
    """The case with these voxels as its truth, stored on its image's grid or another."""

    def make(voxels, affine=None):
        path = tmp_path / "truth.nii.gz"
        stored = nib.load(case.images[0]).affine if affine is None else affine
        nib.save(nib.Nifti1Image(voxels, stored), path)
        return replace(case, truth=path)

    return make


def test_a_case_reads_its_image_under_its_own_name(case):
    volume = case.read()
    assert volume.name == "sub-1_T2w"
    assert case.prefix == "sub-1_mod-T2w"
    assert volume.voxels.shape == (1, 44, 52, 40)
    assert not volume.in_template_space
    assert replace(case, in_template_space=True).read().in_template_space
    assert replace(case, subject="1").read().subject == "1"


def test_a_case_without_truth_has_none(case):
    assert case.read_truth(case.read()) is None


@pytest.mark.parametrize("scale", [1, 255, 0.75])
def test_truth_is_what_lies_above_zero_in_the_order_of_the_volume(with_truth, scale):
    voxels = np.zeros((44, 52, 40), np.float32)
    voxels[20:24, 30:33, 10:12] = scale
    case = with_truth(voxels)
    volume = case.read()
    truth = case.read_truth(volume)
    assert truth.dtype == bool
    assert np.array_equal(truth, volume.grid.to_ras(voxels > 0))


def test_truth_stored_in_another_order_of_axes_means_the_same_place(with_truth):
    voxels = np.zeros((44, 52, 40), np.uint8)
    voxels[5, 6, 7] = 1
    case = with_truth(voxels)
    affine = nib.load(case.images[0]).affine
    turned = nib.as_closest_canonical(nib.Nifti1Image(voxels, affine)).as_reoriented(
        np.array([[1, 1], [0, -1], [2, -1]])
    )
    other = with_truth(np.asarray(turned.dataobj), turned.affine)
    volume = case.read()
    assert np.argwhere(other.read_truth(volume)).tolist() == [[5, 6, 7]]


def test_truth_on_another_grid_is_refused_unless_it_may_be_resampled(with_truth):
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    affine[:3, 3] = [-64.5, -76.5, -58.5]
    voxels = np.zeros((22, 26, 20), np.uint8)
    voxels[10, 12, 8] = 1
    case = with_truth(voxels, affine)
    volume = case.read()
    with pytest.raises(VolumeError) as caught:
        case.read_truth(volume)
    assert caught.value.code == "E_GRID"
    truth, notices = case.read_noted_truth(volume, ReadOptions(resample_mask=True))
    assert truth.sum() in (8, 27)  # voxels of half the edge length, the borders either way
    assert notices
