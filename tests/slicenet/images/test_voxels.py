import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import ResourceError, VolumeError
from slicenet.images.claim import Claim
from slicenet.images.image import read_image
from slicenet.images.stream import ByteStream
from slicenet.images.voxels import SLAB, read_voxels
from tests.slicenet.images.bad_files import outcomes

SHAPE = (5, 4, 3)
NUMBERS = ["u1", "i1", "<i2", ">i2", "<u2", ">i4", "<u4", "<i8", ">u8", "<f4", ">f4", "<f8", ">f8"]


def read(voxels: np.ndarray, slope: float = 1.0, intercept: float = 0.0):
    shape = voxels.shape
    claim = Claim((shape[0], shape[1], shape[2]), 1, voxels.dtype, 0, slope, intercept)
    return read_voxels(ByteStream([voxels.tobytes(order="F")]), claim, 0)


def as_nibabel(voxels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    proxy = nib.arrayproxy.apply_read_scaling(voxels, np.float64(slope), np.float64(intercept))
    return proxy.astype(np.float32)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.1, 0), (-2.5, 30), (1, -1e-3)])
def test_every_type_and_scaling_gives_what_nibabel_gives(dtype, slope, intercept):
    random = np.random.default_rng(0)
    voxels = (random.random(SHAPE) * 100).astype(dtype)
    found, extent = read(voxels, slope, intercept)
    expected = as_nibabel(voxels, slope, intercept)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    np.testing.assert_allclose([extent.low, extent.high], [expected.min(), expected.max()])


@pytest.mark.parametrize("dtype", ["<i8", ">u8", "<i4", "<f8"])
def test_large_numbers_round_as_in_nibabel(dtype):
    kind = np.dtype(dtype)
    largest = np.iinfo(kind).max if kind.kind in "iu" else 1e30
    voxels = (np.random.default_rng(0).random(SHAPE) * largest * 0.99).astype(kind)
    np.testing.assert_array_equal(read(voxels)[0], as_nibabel(voxels, 1, 0))


def test_slabs_join_without_a_seam():
    voxels = np.arange(2 * SLAB + 34, dtype=np.float32).reshape(2, -1, 1)
    np.testing.assert_array_equal(read(voxels)[0], voxels)


def test_a07_fewer_voxels_than_claimed_are_told_in_bytes(tmp_path):
    assert outcomes(7, tmp_path) == ["E_TRUNCATED"] * 2
    with pytest.raises(VolumeError, match="152,600 of 153,600 bytes"):
        read_image(tmp_path / "a07-too-short-packed.nii.gz")


def test_b35_large_whole_numbers_are_read_or_refused_never_blurred(tmp_path):
    assert outcomes(35, tmp_path) == ["", "E_RANGE"]
    path = tmp_path / "b35-int64.nii.gz"
    expected = np.asarray(nib.load(path).dataobj, np.float32)
    np.testing.assert_array_equal(read_image(path).voxels, expected)


@pytest.mark.parametrize(
    ("voxels", "intercept"),
    [
        (2**40 + np.arange(60), 0),
        (1e12 + np.arange(60.0), 0),
        (np.arange(60), 1e12),
    ],
)
def test_intensities_too_close_for_single_precision_are_refused(voxels, intercept):
    with pytest.raises(VolumeError) as caught:
        read(voxels.reshape(SHAPE), 1.0, intercept)
    assert caught.value.code == "E_RANGE"


@pytest.mark.parametrize("dtype", ["<u2", "<i2", "<f4"])
def test_short_numbers_are_never_too_close(dtype):
    voxels = np.full(SHAPE, 32766, dtype)
    voxels[0, 0, 0] += 1
    np.testing.assert_array_equal(read(voxels)[0], voxels)


def test_the_extent_leaves_out_what_is_not_finite():
    voxels = np.arange(60, dtype=np.float64).reshape(SHAPE)
    voxels[0, 0, 0], voxels[4, 3, 2] = np.nan, -np.inf
    extent = read(voxels)[1]
    assert (extent.low, extent.high, extent.finite) == (1, 58, False)
    assert np.isnan(read(np.full(SHAPE, np.nan))[1].low)


def test_overflow_in_single_precision_is_told():
    assert read(np.arange(60.0).reshape(SHAPE))[1].finite
    assert not read(np.arange(60.0).reshape(SHAPE) * 1e300)[1].finite
    assert not read(np.arange(60, dtype=np.int16).reshape(SHAPE), 3e38)[1].finite


def test_more_voxels_than_memory_is_a_matter_of_resources():
    claim = Claim((2**16, 2**16, 2**16), 1, np.dtype("u1"), 0)
    with pytest.raises(ResourceError) as caught:
        read_voxels(ByteStream([b"x"]), claim, 0)
    assert caught.value.code == "E_MEMORY"
