import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.image import read_image
from slicenet.images.nonfinite import fill_nonfinite
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import brain


def refusal(voxels: np.ndarray) -> str:
    with pytest.raises(VolumeError) as caught:
        fill_nonfinite(voxels)
    return caught.value.code


def scattered(share: float, voxels: np.ndarray, value: float = np.nan) -> np.ndarray:
    voxels = voxels.copy()
    voxels[np.random.default_rng(1).random(voxels.shape) < share] = value
    return voxels


def with_nan_background() -> np.ndarray:
    voxels = brain(np.float32)
    voxels[voxels == 0] = np.nan
    return voxels


def test_b32_a_slope_that_makes_all_infinite_is_refused(tmp_path):
    assert outcomes(32, tmp_path) == ["E_NONFINITE"]


def test_b34_values_beyond_single_precision_are_refused(tmp_path):
    assert outcomes(34, tmp_path) == ["E_NONFINITE"]


def test_d60_an_image_of_nan_is_refused(tmp_path):
    assert outcomes(60, tmp_path) == ["E_NONFINITE"]


def test_d61_one_infinite_voxel_is_filled_and_counted(tmp_path):
    assert outcomes(61, tmp_path) == ["W_NONFINITE"]
    image = read_image(tmp_path / "d61-one-inf.nii.gz")
    assert "1 voxels are NaN or Inf" in image.notices[0].message
    expected = brain(np.float32)
    expected[20, 24, 20] = 0
    np.testing.assert_array_equal(image.voxels, expected)


def test_d62_nan_around_the_brain_is_background_and_nan_within_is_not(tmp_path):
    assert outcomes(62, tmp_path) == ["W_NONFINITE", "E_NONFINITE"]
    image = read_image(tmp_path / "d62-nan-outside.nii.gz")
    np.testing.assert_array_equal(image.voxels, brain(np.float32))
    count = np.count_nonzero(brain() == 0)
    assert f"{count:,} voxels are NaN or Inf, {count:,} of them background" in str(image.notices)


@pytest.mark.parametrize("share", [0.003, 0.03, 0.2, 0.35, 0.5, 0.7])
def test_nan_scattered_through_the_brain_is_refused_however_dense(share):
    assert refusal(scattered(share, brain(np.float32))) == "E_NONFINITE"
    assert refusal(scattered(share, with_nan_background())) == "E_NONFINITE"


def test_less_than_a_thousandth_is_filled_even_beside_a_nan_background():
    voxels = scattered(0.0005, with_nan_background())
    (notice,) = fill_nonfinite(voxels)
    assert notice.code == "W_NONFINITE"
    assert np.isfinite(voxels).all()


def test_a_hole_of_nan_in_the_brain_is_not_background():
    voxels = with_nan_background()
    voxels[16:22, 20:26, 16:22] = np.nan
    assert refusal(voxels) == "E_NONFINITE"


def test_infinity_is_never_background():
    voxels = brain(np.float32)
    voxels[voxels == 0] = -np.inf
    assert refusal(voxels) == "E_NONFINITE"


def test_nan_on_one_side_of_a_zero_background_is_background():
    voxels = brain(np.float32)
    voxels[:3] = np.nan
    (notice,) = fill_nonfinite(voxels)
    np.testing.assert_array_equal(voxels, brain(np.float32))
    assert "5,760 voxels are NaN or Inf, 5,760 of them background" in notice.message


def test_the_corners_that_a_turned_image_leaves_empty_are_background():
    voxels = np.random.default_rng(0).random((30, 30, 20)).astype(np.float32) + 1
    x, y, z = np.indices(voxels.shape)
    corner = (x + y < 5) | (x + z > 45)
    voxels[corner] = np.nan
    (notice,) = fill_nonfinite(voxels)
    count = np.count_nonzero(corner)
    assert f"{count:,} voxels are NaN or Inf, {count:,} of them background" in notice.message


def test_a_slice_with_nan_around_it_is_accepted_and_a_riddled_one_not():
    voxels = with_nan_background()[:, :, 20:21]
    fill_nonfinite(voxels)
    np.testing.assert_array_equal(voxels, brain(np.float32)[:, :, 20:21])
    assert refusal(scattered(0.05, with_nan_background()[:, :, 20:21])) == "E_NONFINITE"


def test_a_head_that_fills_the_image_counts_all_its_voxels():
    full = np.random.default_rng(0).random((20, 20, 20)).astype(np.float32) + 1
    assert refusal(scattered(0.01, full)) == "E_NONFINITE"
    fill_nonfinite(scattered(0.0004, full))
