import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from slicenet.resampling import antialias, pick, sample, smooth, smooth_inside

RNG = np.random.default_rng(0)
VOLUME = RNG.random((2, 13, 17, 11)).astype(np.float32)
SHAPE = (9, 21, 8)


def placed(rotation, scale, shift):
    cos, sin = np.cos(rotation), np.sin(rotation)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * scale
    matrix[:3, 3] = shift
    return matrix


WAYS = [
    placed(0.0, (1, 1, 1), (0, 0, 0)),
    placed(0.0, (1.3, 0.7, 1.1), (1.2, -0.4, 0.3)),
    placed(0.0, (-1.0, 1.0, 1.0), (9, 0, 0)),
    placed(0.4, (1.1, 0.8, 1.0), (2.5, 0.7, 0.2)),
]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_picked_is_the_nearest_voxel_of_scipy(way):
    found = pick(torch.from_numpy(VOLUME), way, SHAPE).numpy()
    index = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"))
    places = np.tensordot(way[:3, :3], index, 1) + way[:3, 3][:, None, None, None]
    wanted = [map_coordinates(one, places, order=0, mode="grid-constant") for one in VOLUME]
    clear = np.abs(places - np.floor(places) - 0.5).min(0) > 1e-6  # of two that are as near
    assert np.array_equal(found[:, clear], np.stack(wanted)[:, clear])
    assert clear.mean() > 0.5


@pytest.mark.parametrize("way", WAYS)
def test_inside_the_values_are_those_of_scipy(way):
    found = sample(torch.from_numpy(VOLUME), way, SHAPE).numpy()
    index = np.indices(SHAPE).reshape(3, -1)
    places = way[:3, :3] @ index + way[:3, 3:]
    inside = ((places >= 0) & (places <= np.array(VOLUME.shape[1:])[:, None] - 1)).all(0)
    assert inside.sum() > 100
    for one, got in zip(VOLUME, found, strict=True):
        wanted = map_coordinates(one.astype(np.float64), places, order=1)
        assert np.abs(got.reshape(-1) - wanted)[inside].max() < 1e-5


@pytest.mark.parametrize("way", WAYS)
def test_voxels_are_boxes_and_beyond_them_is_nothing(way):
    ones = torch.ones(1, 13, 17, 11)
    found = sample(ones, way, SHAPE)[0].numpy()
    places = np.einsum("ij,jxyz->ixyz", way[:3, :3], np.indices(SHAPE))
    places += way[:3, 3][:, None, None, None]
    size = np.array((13, 17, 11))[:, None, None, None]
    inside = ((places >= -0.5 - 1e-6) & (places <= size - 0.5 + 1e-6)).all(0)
    assert np.allclose(found, inside, atol=1e-5)


@pytest.mark.parametrize("rotation", [0.0, 0.3])
def test_a_ramp_is_reproduced(rotation):
    way = placed(rotation, (0.9, 0.8, 1.0), (2, 3, 1))
    ramp = np.indices((30, 30, 30))[0].astype(np.float32)
    found = sample(torch.from_numpy(ramp)[None], way, (10, 10, 10))[0].numpy()
    wanted = np.einsum("j,jxyz->xyz", way[0, :3], np.indices((10, 10, 10))) + way[0, 3]
    inside = (wanted >= 0) & (wanted <= 29)
    assert np.abs(found - wanted)[inside].max() < 1e-4


def test_both_ways_of_sampling_agree():
    straight = placed(0.0, (1.3, 0.7, 1.1), (1.2, 0.4, 0.3))
    bent = placed(1e-3, (1.3, 0.7, 1.1), (1.2, 0.4, 0.3))
    one, two = (sample(torch.from_numpy(VOLUME), way, SHAPE) for way in (straight, bent))
    assert (one - two).abs().median() < 0.01


def test_an_edge_holds_as_far_as_it_is_told():
    thin = torch.ones(1, 4, 4, 1)
    way = placed(0.0, (1, 1, 1), (0, 0, -1))
    assert sample(thin, way, (4, 4, 3))[0, 0, 0].tolist() == [0, 1, 0]
    assert sample(thin, way, (4, 4, 3), (0.5, 0.5, 1.0))[0, 0, 0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("sigmas", [(1.0, 2.0, 0.5), (0.0, 1.5, 3.0)])
def test_a_blur_is_that_of_scipy_with_nothing_outside(sigmas):
    found = smooth(torch.from_numpy(VOLUME), sigmas).numpy()
    for one, got in zip(VOLUME, found, strict=True):
        wanted = gaussian_filter(one.astype(np.float64), sigmas, mode="constant", truncate=4)
        assert np.abs(got - wanted).max() < 1e-4


def test_inside_a_mask_a_constant_stays_what_it_is():
    inside = torch.from_numpy(RNG.random(VOLUME.shape[1:]) > 0.4)
    constant = 7 * torch.ones(1, *inside.shape) * inside + 1e6 * ~inside
    found = smooth_inside(constant, inside, (2.0, 1.0, 3.0))
    assert torch.allclose(found[0][inside], torch.tensor(7.0), rtol=1e-5)
    assert (found[0][~inside] == 0).all()


def test_one_slice_is_not_blurred_across_itself():
    slice_ = torch.from_numpy(VOLUME[:, :, :, :1])
    assert torch.equal(smooth(slice_, (0.0, 0.0, 5.0)), slice_)


def test_blur_and_voxel_together_are_as_wide_as_the_new_voxel():
    steps = np.array([0.5, 1.0, 3.0])
    widths = np.array(antialias(steps)) * np.sqrt(8 * np.log(2))  # at half height
    assert np.hypot(widths, 1) == pytest.approx([1, 1, 3], abs=1e-3)
