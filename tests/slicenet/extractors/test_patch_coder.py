import pytest
import torch
from torch import nn

from slicenet.errors import ConfigError
from slicenet.extractors.patch_coder import Coder, CoderSettings, plan

SHAPES = {2: (26, 22), 3: (20, 19, 21)}


def lively(settings, sequences=2, seed=0):
    """A coder whose norms have seen something, so that none of them is idle."""
    torch.manual_seed(seed)
    coder = Coder(sequences, settings).eval()
    for module in coder.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.2, 1)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias, 0, 0.3)
    return coder


def test_the_published_patch_of_15_voxels_becomes_16_numbers_and_a_patch_again():
    settings = CoderSettings()
    assert settings.edge == 15
    for dimensions in (2, 3):
        coder = lively(CoderSettings(dimensions=dimensions), sequences=3)
        patches = torch.rand(4, 3, *[15] * dimensions)
        with torch.no_grad():
            latents = coder.encode(patches)
            rebuilt = coder.decode(latents)
        assert latents.shape == (4, 16)
        assert rebuilt.shape == patches.shape
        assert rebuilt.min() >= 0
        assert rebuilt.max() <= 1


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
@torch.no_grad()
def test_run_over_an_image_it_says_what_it_says_of_every_window_alone(dimensions, step):
    coder = lively(CoderSettings(dimensions=dimensions))
    image = torch.rand(2, *SHAPES[dimensions])
    steps = (step, *[max(1, step - 1)] * (dimensions - 1))  # not alike along the axes
    found = coder.dense(image[None], steps)[0]
    windows = image
    for axis, one in enumerate(steps, start=1):
        windows = windows.unfold(axis, 15, one)  # by torch, in place of anything of ours
    count = windows.shape[1 : 1 + dimensions]
    patches = windows.movedim(0, dimensions).flatten(0, dimensions - 1)
    wanted = coder.encode(patches).T.reshape(16, *count)
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=1e-5)
    assert float(wanted.std()) > 0.01


@pytest.mark.parametrize("strides", [(2, 1, 2), (1, 3, 2), (2, 2, 2)])
@torch.no_grad()
def test_other_strides_slide_as_well(strides):
    settings = CoderSettings(kernels=(5, 3, 3), strides=strides, widths=(4, 4, 4))
    coder = lively(settings, 1)
    image = torch.rand(1, 1, 40, 40)
    for step in (1, 2, 3, 4, 5):
        found = coder.dense(image, (step, step))[0]
        patches = image[0].unfold(1, settings.edge, step).unfold(2, settings.edge, step)
        wanted = coder.encode(patches.movedim(0, 2).flatten(0, 1)).T.reshape(found.shape)
        assert torch.allclose(found, wanted, atol=1e-5)


def test_where_the_step_is_that_of_the_strides_nothing_is_dilated():
    assert plan((1, 1, 3, 1), 3) == [(1, 1), (1, 1), (3, 1), (1, 1)]
    assert plan((1, 1, 3, 1), 1) == [(1, 1), (1, 1), (1, 1), (1, 3)]
    assert plan((2, 2), 2) == [(2, 1), (1, 1)]


@pytest.mark.parametrize("dimensions", [2, 3])
@torch.no_grad()
def test_decoding_is_that_of_the_transposed_layers_and_a_core_is_its_middle(dimensions):
    coder = lively(CoderSettings(dimensions=dimensions))
    latents = torch.randn(5, 16)
    maps = latents[(..., *[None] * dimensions)]
    for layer in coder.decoder:
        maps = layer(maps)  # by torch's own transposed convolutions
    wanted = maps.sigmoid()
    assert torch.allclose(coder.decode(latents), wanted, atol=1e-6)
    for core in (1, 5, 11):
        rim = (15 - core) // 2
        middle = wanted[(..., *[slice(rim, 15 - rim)] * dimensions)]
        assert torch.allclose(coder.decode(latents, core), middle, atol=1e-6)


def test_a_gradient_reaches_every_weight():
    coder = Coder(1, CoderSettings())
    coder.decode(coder.encode(torch.rand(6, 1, 15, 15))).square().sum().backward()
    assert all(float(one.grad.abs().sum()) > 0 for one in coder.parameters())


@pytest.mark.parametrize(
    "wrong",
    [{"dimensions": 1}, {"kernels": (5, 3)}, {"widths": (3, 4, 0, 16)}, {"strides": (1, 1, 4, 1)},
     {"kernels": (4, 3, 3, 3)}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        CoderSettings(**wrong)
