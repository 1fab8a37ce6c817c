from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.phantom.make import make_phantom


@pytest.fixture(scope="module")
def healthy(small):
    return [make_phantom(small, 0, index, False) for index in range(6)]


@pytest.fixture(scope="module")
def lesioned(small):
    return [make_phantom(small, 0, index, True) for index in range(6)]


def images(phantom):
    return phantom.volume.voxels[0].numpy()


def test_images_are_0_outside_the_brain_and_above_0_inside(healthy, lesioned):
    for phantom in [*healthy, *lesioned]:
        assert torch.equal(phantom.volume.voxels[0] > 0, phantom.volume.brain)
        assert torch.equal(phantom.volume.voxels, phantom.volume.voxels.round())
        assert phantom.volume.in_template_space


def test_truth_is_empty_in_the_healthy_and_inside_the_brain_in_the_lesioned(healthy, lesioned):
    assert not any(phantom.truth.any() for phantom in healthy)
    for phantom in lesioned:
        assert phantom.truth.any()
        assert not (phantom.truth & ~phantom.volume.brain).any()


def test_healthy_and_lesioned_twins_are_equal_off_their_lesions(healthy, lesioned):
    for one, other in zip(healthy, lesioned, strict=True):
        touched = np.any([lesion.weight > 0 for lesion in other.lesions], axis=0)
        assert torch.equal(one.volume.brain, other.volume.brain)
        assert np.array_equal(images(one)[~touched], images(other)[~touched])
        assert (images(one) != images(other))[other.truth.numpy()].mean() > 0.5


def test_the_same_arguments_give_the_same_bytes_with_any_number_of_threads(small, lesioned):
    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            again = make_phantom(small, 0, 2, True)
            assert again.volume.digest == lesioned[2].volume.digest
    finally:
        torch.set_num_threads(threads)


def test_seeds_and_subjects_differ(small, healthy):
    other = make_phantom(small, 1, 0, False)
    brains = [phantom.volume.brain.numpy() for phantom in [*healthy, other]]
    assert len({brain.tobytes() for brain in brains}) == len(brains)


def test_brains_vary_in_size_brightness_and_contrast(healthy):
    sizes = np.array([float(phantom.volume.brain.sum()) for phantom in healthy])
    middles = np.array([float(np.median(images(p)[images(p) > 0])) for p in healthy])
    assert 0.01 < sizes.std() / sizes.mean() < 0.2
    assert 0.05 < middles.std() / middles.mean() < 0.5


def test_contrasts_are_of_one_brain_and_do_not_depend_on_each_other(small, healthy):
    three = make_phantom(replace(small, contrasts=("FLAIR", "T1w", "T2w")), 0, 3, False).volume
    assert torch.equal(three.voxels[1], healthy[3].volume.voxels[0])
    assert torch.equal(three.brain, healthy[3].volume.brain)
    inside = three.voxels[:, three.brain].numpy()
    assert np.corrcoef(inside)[1, 2] < -0.5  # fluid is dark in T1 and bright in T2


def test_a_brain_has_the_same_size_at_every_spacing(small, healthy):
    fine = make_phantom(replace(small, spacing=3.0), 0, 4, False)
    both = (fine.volume, healthy[4].volume)
    litres = [float(volume.brain.sum()) * volume.spacing.prod() for volume in both]
    assert litres[0] == pytest.approx(litres[1], rel=0.02)


def test_mass_effect_moves_tissue_around_the_lesion_but_not_the_outline_of_the_brain(
    small, healthy
):
    pushed = make_phantom(replace(small, mass_effect=True, smallest=10.0), 0, 1, True)
    touched = np.any([lesion.weight > 0 for lesion in pushed.lesions], axis=0)
    assert torch.equal(pushed.volume.brain, healthy[1].volume.brain)
    assert (images(pushed) != images(healthy[1]))[~touched].any()
    assert torch.equal(pushed.volume.voxels[0] > 0, pushed.volume.brain)


def test_the_icbm_brain_is_the_usual_one(small):
    drawn = make_phantom(replace(small, template="icbm152"), 0, 0, False).volume
    usual = make_phantom(replace(small, template="auto"), 0, 0, False).volume
    assert drawn.digest == usual.digest
    litres = float(drawn.brain.sum()) * drawn.spacing.prod() / 1e6
    assert 1.4 < litres < 2.4


def test_negative_seeds_are_refused(small):
    with pytest.raises(ConfigError):
        make_phantom(small, -1, 0, False)
