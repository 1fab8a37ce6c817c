import numpy as np
import pytest
from scipy import ndimage

from slicenet.images.skull import shelled, why_not_stripped

SPACING = np.array([2.0, 2.0, 2.0])


def test_litres_are_counted_in_millimetres(head):
    voxels, brain = head
    assert why_not_stripped(voxels * brain, brain, SPACING) == ""
    litres = brain.sum() * 27e-6
    assert litres > 2.5
    reason = why_not_stripped(voxels * brain, brain, np.array([3.0, 3.0, 3.0]))
    assert reason.startswith(f"{litres:.1f} litres")


@pytest.mark.parametrize("axis", [0, 1, 2, None])
def test_a_dark_shell_is_seen_in_volumes_and_in_single_slices(head, axis):
    voxels, brain = head
    window = (slice(None),) * 3
    if axis is not None:
        window = (*window[:axis], slice(50, 51))
    inside = ndimage.binary_dilation(brain, iterations=8)[window]
    assert shelled(voxels[window] * inside, inside, SPACING) > 0.6
    brain = brain[window]
    assert shelled(voxels[window] * brain, brain, SPACING) < 0.1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.5, 3.5, 3.5), (1.0, 1.0, 6.0)])
def test_the_voxel_size_hardly_matters(head, spacing):
    voxels, brain = head
    around = ndimage.binary_dilation(brain, iterations=8)
    scale = SPACING / spacing
    for inside, low, high in ((around, 0.5, 1.0), (brain, 0.0, 0.1)):
        image = ndimage.zoom(voxels * inside, scale, order=1)
        share = shelled(image, image > 10, np.array(spacing))
        assert low <= share <= high


def test_a_ray_that_the_box_cut_has_no_surface(head):
    voxels, brain = head
    crop = (slice(20, 76), slice(25, 90), slice(30, 80))
    rim = np.zeros(brain.shape, bool)
    rim[crop] = True
    cut = np.where(ndimage.binary_erosion(rim, iterations=3), voxels, 60)[crop]
    cut[:, :, [0, -1]] = cut[:, [0, -1]] = cut[[0, -1]] = 1000
    assert shelled(cut, np.ones(cut.shape, bool) & (cut > 0), SPACING) == 0


def test_what_is_too_small_or_too_coarse_for_rays_is_not_judged(head):
    voxels, _ = head
    coarse, small = voxels[::3, ::3, ::3], voxels[::4, ::4, ::4]
    assert shelled(coarse, coarse > 0, 3 * SPACING) == 0
    assert shelled(small, small > 0, SPACING) == 0


def test_a_flat_inside_has_no_shell():
    inside = np.zeros((40, 40, 40), bool)
    inside[5:35, 5:35, 5:35] = True
    assert shelled(np.zeros((40, 40, 40), np.float32), inside, SPACING) == 0
