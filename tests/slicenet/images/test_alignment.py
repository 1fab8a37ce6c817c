import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from scipy.spatial.transform import Rotation

from slicenet.errors import VolumeError
from slicenet.images.alignment import difference, nearest, reordered_like, same_grid, table
from slicenet.images.grid import Grid
from slicenet.images.image import read_mask
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_places import reordered
from tests.slicenet.images.brains import AFFINE, SHAPE, brain, image, save

LIKE = Grid(SHAPE, AFFINE)
RESAMPLED = ReadOptions(resample_mask=True)


def turned(degrees: float, axis: str = "z", moved: float = 0.0) -> np.ndarray:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    turn[0, 3] = moved
    return turn @ AFFINE


def mask() -> np.ndarray:
    return (brain() > 500).astype(np.uint8)


def test_c56_a_mask_on_another_grid_is_refused_with_a_table(tmp_path):
    path = save(tmp_path, "mask.nii.gz", image(mask()[1:], turned(3, moved=2)))
    with pytest.raises(VolumeError) as caught:
        read_mask(path, LIKE)
    error = caught.value
    assert (error.code, error.hint) == ("E_GRID", "bring it there: --resample-mask")
    head, *rows = error.message.splitlines()
    assert "mm apart, axes 3 degrees" in head
    assert rows[1].split() == ["shape", "40x48x40", "39x48x40"]
    assert rows[2].split() == ["axes", "RAS", "RAS"]
    assert rows[3].split() == ["spacing", "mm", "4", "4", "4", "4", "4", "4"]
    assert len(rows) == 5


@pytest.mark.parametrize(("moved", "same"), [(0.0009, True), (0.0011, False)])
def test_c56_a_thousandth_of_a_millimetre_is_the_limit(moved, same):
    assert same_grid(LIKE, Grid(SHAPE, turned(0, moved=moved))) is same


def test_c56_a_mask_is_brought_to_the_image_where_that_is_asked(tmp_path):
    made = image(mask(), turned(10, "x", moved=5))
    path = save(tmp_path, "mask.nii.gz", made)
    found, notices = read_mask(path, LIKE, RESAMPLED)
    expected = resample_from_to(made, (SHAPE, AFFINE), order=0).get_fdata() > 0
    # Voxels half-way between two may fall to either side.
    assert np.mean(found != expected) < 1e-4
    assert [notice.code for notice in notices] == ["W_RESAMPLED"]
    assert notices[0].message.isprintable()


@pytest.mark.parametrize("codes", ["LAS", "RPI", "PIR", "SLA"])
def test_a_mask_stored_along_other_axes_lies_on_the_same_grid(tmp_path, codes):
    turn = nib.orientations.axcodes2ornt(codes)
    path = save(tmp_path, "mask.nii.gz", image(mask()).as_reoriented(turn))
    found, notices = read_mask(path, LIKE)
    np.testing.assert_array_equal(found, mask() > 0)
    assert notices == ()


@pytest.mark.parametrize("codes", ["LAS", "IRP"])
def test_reordering_takes_any_grid_to_any_other(codes):
    stored = reordered(codes)
    grid = Grid(stored.shape, stored.affine)
    voxels, back = reordered_like(np.asarray(stored.dataobj), grid, LIKE)
    np.testing.assert_array_equal(voxels, brain())
    assert same_grid(back, LIKE)


@pytest.mark.parametrize("degrees", [0.01, 1, 30])
def test_the_angle_between_grids_is_measured(degrees):
    found = difference(LIKE, Grid(SHAPE, turned(degrees, "y")))
    assert found.degrees == pytest.approx(degrees, rel=1e-3)
    assert not found.mirrored


def test_the_distance_is_that_of_the_farthest_corners():
    assert difference(LIKE, Grid(SHAPE, turned(0, moved=7))).millimetres == pytest.approx(7)
    assert difference(LIKE, Grid((41, 48, 40), AFFINE)).millimetres == pytest.approx(4)


def test_grids_along_other_axes_do_not_count_as_turned():
    las = reordered("LAS")
    found = difference(LIKE, Grid(las.shape, las.affine))
    assert found.millimetres == pytest.approx(0)
    assert found.degrees == pytest.approx(0, abs=1e-4)


def test_voxels_beyond_the_box_of_the_mask_are_outside():
    stored = np.ones((2, 2, 2), bool)
    taken = nearest(stored, Grid((2, 2, 2), np.eye(4)), Grid((4, 4, 4), np.eye(4)))
    assert taken.sum() == 8


def test_a_finer_grid_takes_each_voxel_several_times():
    fine = np.diag([0.5, 0.5, 0.5, 1.0])
    fine[:3, 3] = -0.25
    stored = np.random.default_rng(0).random((3, 4, 5)) > 0.5
    taken = nearest(stored, Grid((3, 4, 5), np.eye(4)), Grid((6, 8, 10), fine))
    np.testing.assert_array_equal(taken, stored.repeat(2, 0).repeat(2, 1).repeat(2, 2))


def test_a_table_names_what_it_compares():
    rows = table(LIKE, Grid((40, 48, 39), AFFINE), ("T1w", "FLAIR")).splitlines()
    assert rows[1].split() == ["T1w", "FLAIR"]
