import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, groups, join


def layers(*channels, size=12):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, count, size // 2**level, size // 2**level, generator=generator)
        for level, count in enumerate(channels)
    ]


def unfolded(maps, width):
    """The published form: unfolded patches, two adaptive poolings over channels and places."""
    h, w = maps[0].shape[2:]
    pooled = []
    for layer in maps:
        count, size = layer.shape[1], layer.shape[2:]
        patches = F.unfold(layer, 3, padding=1).unflatten(2, size)  # [S, C * 9, h, w]
        if size != (h, w):
            patches = F.interpolate(patches, (h, w), mode="bilinear")
        rows = patches.movedim(1, -1).reshape(-1, 1, count * 9)
        pooled.append(F.adaptive_avg_pool1d(rows, width)[:, 0])
    both = torch.stack(pooled, 1).flatten(1)[:, None]  # [S * h * w, 1, layers * width]
    whole = F.adaptive_avg_pool1d(both, width)[:, 0]
    return whole.view(-1, h, w, width).movedim(-1, 1)


@pytest.mark.parametrize(("channels", "width"), [((512, 1024), 512), ((64, 64), 32)])
def test_the_closed_form_equals_unfolding_and_two_adaptive_poolings(channels, width):
    maps = layers(*channels)
    joined = join(maps, NeighbourhoodSettings(width=width))
    assert joined.shape == (2, width, 12, 12)
    assert (joined - unfolded(maps, width)).abs().max() < 1e-6


def test_the_layout_in_memory_changes_nothing():
    maps = layers(64, 128)
    last = [layer.contiguous(memory_format=torch.channels_last) for layer in maps]
    settings = NeighbourhoodSettings(width=64)
    assert torch.allclose(join(last, settings), join(maps, settings), atol=1e-6)


def test_no_width_and_no_patch_leave_the_layers_as_they_are():
    maps = layers(6, 10)
    joined = join(maps, NeighbourhoodSettings(patch=1, width=0))
    assert torch.equal(joined[:, :6], maps[0])
    assert torch.equal(joined[:, 6:], F.interpolate(maps[1], scale_factor=2, mode="bilinear"))


def test_a_narrow_layer_stays_whole_instead_of_being_repeated():
    assert groups((128, 256), NeighbourhoodSettings(width=512)) == (128, 256)
    assert groups((48, 192), NeighbourhoodSettings(width=256)) == (48, 128)
    assert join(layers(48, 192), NeighbourhoodSettings(width=256)).shape[1] == 176


def test_widths_that_do_not_divide_pool_adaptively():
    maps = layers(48, size=4)
    joined = join(maps, NeighbourhoodSettings(patch=1, width=32))
    wanted = F.adaptive_avg_pool1d(maps[0].movedim(1, -1).reshape(-1, 1, 48), 32)
    assert torch.allclose(joined.movedim(1, -1).reshape(-1, 32), wanted[:, 0], atol=1e-6)


@pytest.mark.parametrize("wrong", [{"patch": 2}, {"patch": 0}, {"width": -1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        NeighbourhoodSettings(**wrong)


def test_a_width_of_less_than_a_channel_a_layer_is_refused():
    with pytest.raises(ConfigError, match="too little"):
        groups((64, 64), NeighbourhoodSettings(width=1))
