import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.texture import TextureExtractor, TextureSettings
from slicenet.volume import Volume


def cube(values):
    brain = torch.ones(values.shape, dtype=torch.bool)
    return Volume(values[None].float(), brain, np.diag([2.0, 2.0, 2.0, 1.0]), "cube")


def inner(features):
    lattice = torch.zeros(*features.inside.shape, features.vectors.shape[1])
    lattice[features.inside] = features.vectors
    return lattice[9:-9, 9:-9, 9:-9].flatten(0, 2)


def test_a_ramp_has_its_slope_as_edge_and_a_flat_brain_has_none():
    ramp = torch.arange(48.0)[:, None, None].expand(48, 48, 48)
    settings = TextureSettings(cell=2.0, scales=(4.0,))
    _, edge, spread = inner(TextureExtractor(settings).extract(cube(ramp))).T
    assert torch.allclose(edge, torch.tensor(0.5 * 4.0), atol=1e-3)  # per mm, times the scale
    assert torch.allclose(spread, torch.tensor(2.0), atol=0.05)  # of a ramp under the Gaussian
    flat = inner(TextureExtractor(settings).extract(cube(torch.full((48, 48, 48), 7.0))))
    assert torch.allclose(flat[:, 0], torch.tensor(7.0), atol=1e-3)
    assert flat[:, 1:].abs().max() < 0.05


def test_the_first_and_last_plane_have_no_edge_across_the_box():
    ramp = torch.arange(32.0)[:, None, None].expand(32, 32, 32)
    features = TextureExtractor(TextureSettings(cell=2.0, scales=(2.0,))).extract(cube(ramp))
    edge = features.lattice(features.vectors[:, 1])
    assert edge[[0, -1]].max() < 1e-4
    assert edge.max() < 1.2 * edge[16, 16, 16]


def test_noise_raises_spread_at_every_scale_and_channels_count_up():
    generator = torch.Generator().manual_seed(0)
    noisy = torch.randn(32, 32, 32, generator=generator)
    features = TextureExtractor(TextureSettings(cell=2.0)).extract(cube(noisy))
    assert features.vectors.shape[1] == 9
    spreads = inner(features)[:, 2::3].mean(0)
    assert torch.allclose(spreads[1:], torch.tensor(1.0), atol=0.1)


@pytest.mark.parametrize("wrong", [{"cell": 0.0}, {"scales": ()}, {"scales": (0.0,)}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        TextureSettings(**wrong)
