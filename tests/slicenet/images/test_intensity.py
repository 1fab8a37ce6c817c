import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.image import read_image
from slicenet.images.intensity import are_labels, background_of, check_intensities
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import AFFINE, brain, plain, put


def codes(voxels: np.ndarray) -> list[str]:
    return [notice.code for notice in check_intensities(voxels.astype(np.float32))]


def test_b33_intensities_below_all_normal_numbers_are_constant(tmp_path):
    assert outcomes(33, tmp_path) == ["E_CONSTANT"]


def test_d63_a_constant_image_is_refused(tmp_path):
    assert outcomes(63, tmp_path) == ["E_CONSTANT"]


def test_d64_an_image_of_zeros_is_refused(tmp_path):
    assert outcomes(64, tmp_path) == ["E_CONSTANT"]


def test_d65_an_image_with_one_voxel_is_refused(tmp_path):
    assert outcomes(65, tmp_path) == ["E_CONSTANT"]


def test_d66_masks_are_refused_and_labels_told(tmp_path):
    assert outcomes(66, tmp_path) == ["E_CONSTANT", "W_LOW_LEVELS", "W_LOW_LEVELS"]
    with pytest.raises(VolumeError, match="is it a mask"):
        read_image(tmp_path / "d66-binary.nii.gz")


def test_d67_a_saturated_image_is_told(tmp_path):
    assert outcomes(67, tmp_path) == ["W_LOW_LEVELS"]


def test_a_few_clipped_voxels_are_usual():
    voxels = brain(np.float32)
    brightest = np.quantile(voxels[voxels > 0], 0.99)
    assert codes(np.minimum(voxels, brightest)) == []


def test_d68_negative_intensities_are_told(tmp_path):
    assert outcomes(68, tmp_path) == ["W_DOMAIN"]


def test_a_little_ringing_below_zero_is_usual():
    voxels = brain(np.float32)
    voxels[::9, ::9, ::9] = -3
    assert codes(voxels) == []


def test_d69_hounsfield_units_are_told(tmp_path):
    assert outcomes(69, tmp_path) == ["W_DOMAIN"]
    (notice,) = read_image(tmp_path / "d69-hounsfield.nii.gz").notices
    assert "CT" in notice.message


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_a_brain_is_good_at_any_scale_and_in_any_order(scale):
    voxels = brain(np.float32) * scale
    assert codes(voxels) == []
    assert codes(np.asfortranarray(voxels[::-1].transpose(2, 0, 1))) == []


def test_checking_changes_no_voxel():
    voxels = brain(np.float32)
    check_intensities(voxels)
    np.testing.assert_array_equal(voxels, brain(np.float32))


def test_one_slice_and_eight_bits_are_enough():
    voxels = (brain() // 4)[:, :, 20:21]
    assert len(np.unique(voxels)) < 256
    assert codes(voxels) == []


@pytest.mark.parametrize("value", [0.0, -1.0, 7.5])
def test_the_background_is_what_the_corners_share(value):
    voxels = brain(np.float32)
    voxels[voxels == 0] = value
    assert background_of(voxels) == value


def test_corners_that_differ_share_no_background():
    voxels = np.arange(1.0, 28.0).reshape(3, 3, 3)
    assert background_of(voxels) == 0
    voxels[::2, ::2, ::2] = np.nan
    assert background_of(voxels) == 0


def test_a_mask_of_a_brain_with_another_background_is_refused(tmp_path):
    voxels = np.where(brain() > 0, 3, -1).astype(np.int16)
    path = put(tmp_path, "mask.nii", plain(voxels, AFFINE))
    with pytest.raises(VolumeError, match="all 3"):
        read_image(path)


def test_labels_are_whole_numbers_in_patches():
    tissue = brain(np.float32)
    parts = np.floor(tissue / 150) * 50
    assert are_labels(parts)
    assert not are_labels(parts / 7)
    assert not are_labels(np.rint(tissue))
    assert not are_labels(tissue)
