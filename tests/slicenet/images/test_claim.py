import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.claim import VOLUMES, Claim, three_dimensional
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import brain


def code_of(sizes, **options) -> str:
    with pytest.raises(VolumeError) as caught:
        three_dimensional(sizes, ReadOptions(**options))
    return caught.value.code


@pytest.mark.parametrize(
    ("sizes", "shape", "volumes"),
    [
        ((5, 6), (5, 6, 1), 1),
        ((5, 6, 7), (5, 6, 7), 1),
        ((5, 6, 7, 1), (5, 6, 7), 1),
        ((5, 6, 7, 8), (5, 6, 7), 8),
        ((5, 6, 7, 8, 1, 1, 1), (5, 6, 7), 8),
    ],
)
def test_sizes_of_two_to_four_dimensions_are_understood(sizes, shape, volumes):
    assert three_dimensional(sizes, ReadOptions()) == (shape, volumes)


@pytest.mark.parametrize(
    "sizes", [(5,), (5, 0), (5, 6, -7), (1, 1, 7), (5, 6, 7, 0), (5, 6, 7, 1, 3)]
)
def test_other_sizes_are_refused(sizes):
    assert code_of(sizes) == "E_DIM"


def test_the_limit_is_on_the_voxels_of_one_volume():
    three_dimensional((10, 10, 10), ReadOptions(max_voxels=1000))
    three_dimensional((10, 10, 10, 40), ReadOptions(max_voxels=1000))
    assert code_of((10, 10, 11), max_voxels=1000) == "E_TOO_LARGE"


def test_very_many_volumes_are_refused_too():
    assert code_of((10, 10, 10, VOLUMES + 1), max_voxels=1000) == "E_TOO_LARGE"


def test_no_claim_overflows():
    assert code_of((2**62, 2**62, 2**62, 2**62)) == "E_TOO_LARGE"


def test_c54_a_4d_file_with_one_volume_is_3d(tmp_path):
    assert outcomes(54, tmp_path) == [""]
    voxels = read_image(tmp_path / "c54-one-volume.nii.gz").voxels
    np.testing.assert_array_equal(voxels, brain())


def test_c55_a_4d_file_is_refused_with_the_option_that_helps(tmp_path):
    assert outcomes(55, tmp_path) == ["E_4D", "E_DIM"]
    path = tmp_path / "c55-three-volumes.nii.gz"
    with pytest.raises(VolumeError, match=r"--volume k, 0 to 2"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, ReadOptions(volume=2)).voxels, 3 * brain())
    with pytest.raises(VolumeError, match="no volume 3, but 0 to 2") as caught:
        read_image(path, ReadOptions(volume=3))
    assert caught.value.code == "E_4D"


def test_the_choice_of_a_volume_leaves_3d_files_alone():
    claim = Claim((2, 3, 4), 1, np.dtype(">i2"), 352)
    assert claim.wanted(ReadOptions(volume=5)) == 0
    assert (claim.voxels, claim.size, claim.scaled) == (24, 48, False)
