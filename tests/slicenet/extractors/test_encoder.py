import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.encoder import LAYERS, Encoder, EncoderSettings, pooled

SMALL = {"width": 4}
VARIANTS = [
    EncoderSettings(**SMALL),
    EncoderSettings(**SMALL, dilation=3),
    EncoderSettings(**SMALL, strides=(2, 1, 2, 2, 1)),
    EncoderSettings(**SMALL, kind="resnet18", strides=(2, 1, 1, 1, 1), dilation=2),
]


def test_the_published_sizes():
    # METHODS 2.1: cells of 2, 4, 8 voxels, 32 to 256 channels, 31 voxels seen at the fourth layer.
    settings = EncoderSettings()
    assert settings.channels == (32, 64, 128, 256, 256)
    assert settings.cells() == [2, 4, 8, 8, 8]
    assert settings.reach() == [3, 7, 15, 31, 31]
    with torch.no_grad():
        layers = Encoder(1, settings)(torch.zeros(1, 1, 31, 32, 24))
    assert [tuple(layer.shape[1:]) for layer in layers] == [
        (32, 16, 16, 12), (64, 8, 8, 6), (128, 4, 4, 3), (256, 4, 4, 3), (256, 4, 4, 3)
    ]  # fmt: skip


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("layer", range(LAYERS))
def test_a_cell_sees_as_many_voxels_as_it_is_said_to(settings, layer):
    reach, cell = settings.reach()[layer], settings.cells()[layer]
    at = -(-reach // 2 // cell) + 1  # a cell whose field is within the volume
    edge = 2 * at * cell + 1
    encoder = Encoder(1, settings).double()
    for module in encoder.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # it looks at the whole volume
    line = torch.randn(1, 1, edge, 8, 8, dtype=torch.float64).requires_grad_(True)
    encoder(line)[layer][0, :, at, 0, 0].square().sum().backward()
    seen = line.grad.abs().amax((0, 1, 3, 4)).nonzero()[:, 0]
    assert seen.max() - seen.min() + 1 == reach
    assert (seen.max() + seen.min()) // 2 == at * cell  # centred on that voxel


def test_layers_beyond_the_last_are_not_computed():
    encoder = Encoder(2, EncoderSettings(**SMALL))
    volume = torch.randn(1, 2, 16, 16, 16)
    some, every = encoder(volume, 2), encoder(volume)
    assert len(some) == 3
    assert torch.equal(some[2], every[2])


def test_pooling_is_the_mean_over_each_part_of_space():
    layer = torch.arange(24.0).reshape(1, 2, 3, 2, 2)
    assert torch.equal(pooled(layer, 1), torch.tensor([[5.5, 17.5]]))
    # Three rows in two parts share the middle one, as adaptive pooling has it.
    rows = layer.unfold(2, 2, 1).mean(-1)
    assert torch.allclose(pooled(layer, 2), rows.flatten(1))


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "vgg"}, {"strides": (2, 2)}, {"strides": (3, 1, 1, 1, 1)}, {"width": 6},
     {"dilation": 0}],
)  # fmt: skip
def test_what_is_no_encoder_is_refused(wrong):
    with pytest.raises(ConfigError):
        EncoderSettings(**wrong)
