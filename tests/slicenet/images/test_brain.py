import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from slicenet.errors import VolumeError
from slicenet.images.brain import find_brain, foreground
from slicenet.images.grid import Grid
from slicenet.images.image import read_image, read_mask

SHARED = Path(os.environ.get("SLICENET_SHARED", Path(__file__).parents[4] / "shared")) / "data"
NATIVE = sorted((SHARED / "ixi-native").glob("sub-*/anat/*_T1w.nii.gz"))[:2]
STRIPPED = sorted((SHARED / "ixi-hh").glob("sub-*/anat/*_T1w.nii.gz"))[:4]


def dice(one, other):
    return 2 * np.sum(one & other) / (np.sum(one) + np.sum(other))


def refusal(image):
    with pytest.raises(VolumeError) as caught:
        find_brain(image, "case")
    assert caught.value.message.startswith("case: ")
    return caught.value


def test_all_of_a_stripped_brain_is_found(head, make_image):
    voxels, brain = head
    assert np.array_equal(find_brain(make_image(voxels * brain), "case"), brain)


@pytest.mark.parametrize("background", [-3.5, 1000.0])
def test_the_background_may_be_any_one_value(head, make_image, background):
    voxels, brain = head
    image = make_image(np.where(brain, voxels, background))
    assert dice(find_brain(image, "case"), brain) > 0.999


def test_scores_around_zero_in_zeros_are_brain(head, make_image):
    voxels, brain = head
    inside = voxels[brain]
    image = make_image(np.where(brain, (voxels - inside.mean()) / inside.std(), 0))
    assert dice(find_brain(image, "case"), brain) > 0.995


def test_ventricles_and_lesions_of_zeros_are_brain(head, make_image):
    voxels, brain = head
    holed = voxels * brain
    holed[40:56, 44:72, 48:62] = 0
    assert np.array_equal(find_brain(make_image(holed), "case"), brain)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("slices", [1, 2, 8])
def test_holes_in_the_outer_slices_of_a_slab_are_brain(head, make_image, axis, slices):
    voxels, brain = head
    holed = voxels * brain
    holed[40:56, 44:72, 48:62] = 0
    middle = (48, 58, 55)[axis]
    window = (*(slice(None),) * axis, slice(middle, middle + slices))
    assert dice(find_brain(make_image(holed[window]), "case"), brain[window]) > 0.999


def test_specks_are_dropped_and_large_pieces_kept(head, make_image):
    voxels, brain = head
    image = voxels * brain
    image[2:5, 2:5, 2:5] = 500
    assert np.array_equal(find_brain(make_image(image), "case"), brain)
    parted = brain.copy()
    parted[46:50] = False
    found = find_brain(make_image(voxels * parted), "case")
    assert np.array_equal(found, parted)


def test_the_ringing_of_a_resampled_brain_is_background(head, make_image):
    voxels, brain = head
    ringing = ndimage.affine_transform(voxels * brain, np.eye(3), offset=0.4, order=3)
    assert np.mean(ringing != 0) > 0.9
    shifted = ndimage.affine_transform(brain.astype(np.float32), np.eye(3), offset=0.4, order=1)
    assert dice(find_brain(make_image(ringing), "case"), shifted > 0.5) > 0.9


def test_the_brain_is_the_same_however_the_axes_lie(head, make_image):
    voxels, brain = (array[::2, ::2, ::2] for array in head)
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            turn = tuple(slice(None, None, flip) for flip in flips)
            image = make_image((voxels * brain).transpose(order)[turn], (4.0, 4.0, 4.0))
            assert np.array_equal(find_brain(image, "case"), brain.transpose(order)[turn])


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (1.3, 1.3, 1.3)])
def test_59_a_head_is_refused_with_what_to_run(head, make_image, spacing):
    error = refusal(make_image(head[0], spacing))
    assert error.code == "E_SKULL"
    for help_ in ("slicenet prepare", "hd-bet -i", "mri_synthstrip -i", "--mask"):
        assert help_ in error.hint


def test_59_noise_everywhere_is_no_background(head, make_image):
    noise = np.random.default_rng(0).normal(0, 30, (2, *head[0].shape))
    error = refusal(make_image(np.hypot(head[0] + noise[0], noise[1])))
    assert error.code == "E_SKULL"
    assert "no background" in error.message


def test_a_crop_from_within_a_brain_says_nothing_about_where_it_ends(head, make_image):
    assert refusal(make_image(head[0][30:60, 40:70, 40:70])).code == "E_SKULL"


def test_63_one_value_is_not_an_image(make_image):
    assert refusal(make_image(np.full((8, 8, 8), 7))).code == "E_CONSTANT"


def test_a_foreground_is_a_whole_head_without_a_word(head):
    voxels, brain = head
    assert foreground(voxels, "case").sum() > 1.8 * brain.sum()


@pytest.mark.skipif(not NATIVE, reason=f"no real heads in {SHARED}")
@pytest.mark.parametrize("path", NATIVE, ids=lambda path: path.name)
def test_real_heads_are_refused_and_accepted_once_stripped(path):
    image = read_image(path)
    labels = path.with_name(path.name.replace("_T1w", "_desc-dlmuse_dseg"))
    brain, _ = read_mask(labels, image.grid)
    tissue = np.median(image.voxels[brain])
    assert refusal(image).code == "E_SKULL"
    clean = np.where(image.voxels > 0.1 * tissue, image.voxels, 0)
    assert refusal(replace(image, voxels=clean)).code == "E_SKULL"
    small = Grid(image.grid.shape, image.grid.affine @ np.diag([0.6, 0.6, 0.6, 1]))
    error = refusal(replace(image, voxels=clean, grid=small))
    assert "bone" in error.message
    stripped = replace(image, voxels=(image.voxels + 1) * brain)
    assert dice(find_brain(stripped, "case"), brain) > 0.999


@pytest.mark.skipif(not STRIPPED, reason=f"no real brains in {SHARED}")
@pytest.mark.parametrize("path", STRIPPED, ids=lambda path: path.name[:10])
def test_real_brains_are_found_as_their_masks_say(path):
    image = read_image(path)
    beside = path.with_name(path.name.replace("_desc-brain_T1w", "_desc-brain_mask"))
    assert dice(find_brain(image, "case"), read_mask(beside, image.grid)[0]) > 0.999


def test_of_labels_all_is_brain_however_low_their_numbers(head, make_image):
    _, brain = head
    places = np.indices(brain.shape).sum(0)
    labels = np.where(places % 40 < 20, 2.0, 2035.0) * brain  # 2 is 0.1 % of the highest
    assert np.array_equal(find_brain(make_image(labels), "case"), brain)
    # A dark shell is no bone.
    depth = ndimage.distance_transform_edt(brain)
    shells = np.where((depth > 2) & (depth < 6), 2.0, 2035.0) * brain
    assert np.array_equal(find_brain(make_image(shells), "case"), brain)
