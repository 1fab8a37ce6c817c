import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from slicenet.simulation.draws import Draws
from slicenet.simulation.space import space_of


def space(shape=(24, 30), spacing=(1.5, 2.0)):
    return space_of(torch.ones(1, *shape, dtype=torch.bool), spacing)


def draws(seed=0):
    return Draws(torch.Generator().manual_seed(seed), torch.device("cpu"))


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((24, 30), (1.5, 2.0)), ((25, 31), (1.0, 1.0)), ((16, 18, 20), (2, 1.5, 2))],
)
def test_blur_is_scipys_with_each_sample_by_its_own_deviation(shape, spacing):
    images = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    deviations = (3.0, 5.0)  # mm, wide enough that a sampled Gaussian is a Gaussian
    found = space(shape, spacing).blur(images, torch.tensor(deviations))
    for sample, blurred, deviation in zip(images.numpy(), found, deviations, strict=True):
        for image, seen in zip(sample, blurred, strict=True):
            sigma = deviation / np.array(spacing)
            wanted = gaussian_filter(image, sigma, mode="wrap", truncate=8)
            assert np.allclose(seen, wanted, atol=1e-4)


def test_ways_are_in_millimetres_from_the_centre():
    away = space().away(torch.tensor([[2, 3], [0, 0]]))
    assert away.shape == (2, 2, 24, 30)
    assert away[0, :, 2, 3].tolist() == [0, 0]
    assert away[0, :, 5, 7].tolist() == [4.5, 8.0]
    assert away[1, :, 5, 7].tolist() == [7.5, 14.0]


@pytest.mark.parametrize("shape", [(64, 60), (32, 30, 36)])
def test_fields_have_mean_0_and_deviation_1(shape):
    flat = space(shape, (1.0,) * len(shape))
    found = flat.field(draws(), torch.tensor([2.0, 6.0]), torch.tensor([1.0, 4.0])).flatten(1)
    assert torch.allclose(found.mean(1), torch.zeros(2), atol=1e-4)
    assert torch.allclose(found.std(1), torch.ones(2), atol=1e-2)


def slope(field, spacing=1.0):
    return float(field.diff(dim=0).square().mean().sqrt()) / spacing


def test_a_larger_scale_makes_flatter_fields_and_so_does_smoothness():
    flat = space((128, 128), (1.0, 1.0))
    fine, coarse, rough = flat.field(
        draws(), torch.tensor([3.0, 12.0, 12.0]), torch.tensor([3.0, 3.0, 0.7])
    )
    assert 2 < slope(fine) / slope(coarse) < 8
    assert slope(rough) > 2 * slope(coarse)


def test_the_slope_of_a_smooth_field_is_that_of_its_spectrum():
    flat, scale, smoothness = space((256, 256), (1.0, 1.0)), 6.0, 3.0
    asked = torch.tensor([scale]).expand(20), torch.tensor([smoothness]).expand(20)
    found = np.mean([slope(one) for one in flat.field(draws(), *asked)])
    # Matérn: the mean square slope along an axis is 1 / (2 scale^2 (smoothness - 1)).
    assert found == pytest.approx(1 / (scale * np.sqrt(2 * (smoothness - 1))), rel=0.1)


def test_a_scale_is_millimetres_and_not_voxels():
    scale, smoothness = torch.tensor([8.0]), torch.tensor([3.0])
    one = space((128, 128), (1.0, 1.0)).field(draws(), scale, smoothness)[0]
    two = space((128, 128), (2.0, 1.0)).field(draws(), scale, smoothness)[0]
    assert slope(two) / slope(one) == pytest.approx(2, rel=0.2)


def test_every_axis_needs_a_spacing():
    with pytest.raises(AssertionError, match="2 spacings for 3 axes"):
        space((4, 4, 4), (1.0, 1.0))
