import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import label

from slicenet.errors import ConfigError, VolumeError
from slicenet.phantom.outlines import MARGIN, draw_outline, read_outline

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.4, 0.2, 0.1) @ np.diag([1.5, 2, 3]), [5, -3, 8]
)


def write_ball(path, radius, centre, flip=False):
    """A ball in MNI millimetres as a mask of 1 mm voxels."""
    affine = np.diag([-1.0 if flip else 1.0, 1, 1, 1])
    affine[:3, 3] = [40 if flip else -40, -40, -40]
    grid = np.moveaxis(np.mgrid[:81, :81, :81], 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    mask = (np.linalg.norm(grid - centre, axis=-1) <= radius).astype(np.uint8)
    image = nib.Nifti1Image(mask, affine)
    image.set_sform(affine, 4)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("radius", [3.0, 9.0])
def test_outlines_are_one_piece_around_their_centre_and_about_as_large_as_asked(seed, radius):
    centre = np.array([30, 25, 15])
    depth = draw_outline(np.random.default_rng(seed), OBLIQUE, (61, 51, 31), centre, radius)
    inside = depth >= 0
    assert inside[tuple(centre)]
    assert label(inside, np.ones((3, 3, 3)))[1] == 1
    volume = inside.sum() * np.linalg.det(OBLIQUE[:3, :3])
    assert 0.6 < (volume / (4 / 3 * np.pi * radius**3)) ** (1 / 3) < 1.5


def test_outlines_are_irregular():
    centre, affine = np.array([20, 20, 20]), np.diag([1.0, 1, 1, 1])
    depth = draw_outline(np.random.default_rng(0), affine, (41, 41, 41), centre, 10.0)
    away = np.linalg.norm(np.argwhere(np.abs(depth) < 0.3) - centre, axis=1)
    assert away.max() > 1.4 * away.min()


def test_depth_of_a_mask_is_the_distance_to_its_surface_in_mm(tmp_path):
    path = write_ball(tmp_path / "ball.nii.gz", 12.3, [4, -6, 2])
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -30
    brain = np.ones((31, 31, 31), bool)
    depth = read_outline(np.random.default_rng(0), [path], brain, affine, np.eye(4))
    places = np.argwhere(brain) * 2.0 - 30
    expected = 12.3 - np.linalg.norm(places - [4, -6, 2], axis=1)
    near = np.abs(expected) < MARGIN - 2
    assert np.abs(depth.ravel()[near] - expected[near]).max() < 0.8
    assert np.isneginf(depth.ravel()[expected < -MARGIN - 2]).all()


def test_a_mask_stored_the_other_way_round_is_the_same_shape(tmp_path):
    affine, brain = np.diag([2.0, 2, 2, 1]), np.ones((20, 20, 20), bool)
    depths = [
        read_outline(np.random.default_rng(0), [path], brain, affine, np.eye(4))
        for path in (
            write_ball(tmp_path / "a.nii.gz", 8, [12, 14, 16]),
            write_ball(tmp_path / "b.nii.gz", 8, [12, 14, 16], flip=True),
        )
    ]
    assert np.array_equal(depths[0] >= 0, depths[1] >= 0)


def test_masks_keep_inside_the_brain_and_those_off_it_are_passed_over(tmp_path):
    far = write_ball(tmp_path / "far.nii.gz", 5, [-30, -30, -30])
    near = write_ball(tmp_path / "near.nii.gz", 5, [10, 10, 10])
    affine, brain = np.diag([2.0, 2, 2, 1]), np.zeros((20, 20, 20), bool)
    brain[:6] = True
    for seed in range(4):
        random = np.random.default_rng(seed)
        depth = read_outline(random, [far, near], brain, affine, np.eye(4))
        assert (depth >= 0).any()
        assert np.isneginf(depth[~brain]).all()
    with pytest.raises(ConfigError, match="reaches"):
        read_outline(np.random.default_rng(0), [far], brain, affine, np.eye(4))


def test_a_damaged_mask_is_named(tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"<html>")
    brain, random = np.ones((5, 5, 5), bool), np.random.default_rng(0)
    with pytest.raises(VolumeError, match=r"bad\.nii\.gz"):
        read_outline(random, [tmp_path / "bad.nii.gz"], brain, np.eye(4), np.eye(4))
