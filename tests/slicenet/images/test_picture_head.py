import numpy as np
import pytest
from scipy import ndimage

from slicenet.errors import VolumeError
from slicenet.images.picture_head import find_head


def head(shape=(200, 180), background=0.0, noise=2.0, seed=0):
    """A bright ring around textured, partly dark tissue, and the truth."""
    random = np.random.default_rng(seed)
    rows, columns = (np.linspace(-1, 1, edge) for edge in shape)
    distance = np.sqrt((rows[:, None] / 0.85) ** 2 + (columns / 0.7) ** 2)
    texture = ndimage.gaussian_filter(random.standard_normal(shape), 4) * 12
    inside = distance < 1
    grey = np.where(distance < 0.85, 90 + 40 * texture.clip(-2, 2), 220.0)
    grey = np.where(distance < 0.2, background + 1, grey)  # ventricles as dark as air
    grey = np.where(inside, grey, background) + noise * random.standard_normal(shape)
    return grey.clip(0, 255).astype(np.float32), inside


def overlap(found, truth):
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


@pytest.mark.parametrize("background", [0.0, 15.0, 255.0])
@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
def test_the_head_is_found_on_any_background(background, noise):
    grey, truth = head(background=background, noise=noise)
    found = find_head(grey)
    assert overlap(found, truth) > 0.96
    assert found[100, 90]  # the ventricles are part of it


def test_captions_and_rulers_are_not_part_of_it():
    grey, truth = head()
    grey[4:14, 4:60] = 255
    grey[185:198, 120:176] = 255
    grey[:, 175] = 255
    assert overlap(find_head(grey), truth) > 0.96


def test_the_range_of_values_does_not_matter():
    grey, truth = head()
    for factor in (1e-3, 257.0):
        assert overlap(find_head(grey * factor), truth) > 0.96


def test_a_large_picture_is_searched_in_part_and_found_whole():
    grey, truth = head((1500, 1330))
    found = find_head(grey)
    assert found.shape == truth.shape
    assert overlap(found, truth) > 0.96


@pytest.mark.parametrize("empty", [np.zeros((90, 80)), np.full((90, 80), 7.0)])
def test_where_nothing_stands_out_it_is_told(empty):
    with pytest.raises(VolumeError, match="nothing that could be a head"):
        find_head(empty.astype(np.float32))


def test_noise_alone_is_no_head():
    noise = np.random.default_rng(0).normal(20, 5, (120, 120)).astype(np.float32)
    with pytest.raises(VolumeError, match="nothing"):
        find_head(noise)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5, 5)])
def test_slivers_are_no_head(shape):
    with pytest.raises(VolumeError):
        find_head(np.zeros(shape, np.float32))
