import math

import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings

TINY = BackboneSettings(name="test_resnet", weights="random", precision="float32")


def layers(channels, sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(2, count, *size, generator=generator)
        for count, size in zip(channels, sizes, strict=True)
    ]


@pytest.mark.parametrize("finest", [0, 1, 2])
@pytest.mark.parametrize("size", [(64, 96), (50, 70), (33, 47)])
def test_features_and_logit_lie_on_the_lattice_of_the_finest_layer(finest, size):
    backbone = Backbone(TINY, finest=finest)
    decoder = Decoder(backbone.channels, DecoderSettings(finest=finest, width=8)).eval()
    seen = backbone.look(torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)))
    features, logit = decoder(seen)
    assert features.shape == (2, 8, *seen[0].shape[2:])
    assert logit.shape == (2, 1, *seen[0].shape[2:])


def test_one_layer_is_enough():
    decoder = Decoder([6], DecoderSettings(width=4)).eval()
    features, logit = decoder(layers([6], [(5, 7)]))
    assert (features.shape, logit.shape) == ((2, 4, 5, 7), (2, 1, 5, 7))


def test_it_starts_from_the_expected_share():
    decoder = Decoder([16, 32], DecoderSettings(expected=0.03))
    with torch.no_grad():
        _, logit = decoder(layers([16, 32], [(16, 16), (8, 8)]))
    assert abs(float(logit.sigmoid().mean()) - 0.03) < 0.01
    assert math.isclose(float(decoder.head.bias.detach().sigmoid()), 0.03, rel_tol=1e-4)


def test_every_layer_has_its_say():
    decoder = Decoder([4, 8, 16], DecoderSettings(width=8))
    seen = layers([4, 8, 16], [(16, 20), (8, 10), (4, 5)])
    for layer in seen:
        layer.requires_grad_()
    decoder(seen)[1].square().sum().backward()
    assert all(layer.grad.abs().sum() > 0 for layer in seen)
    assert all(weight.grad is not None for weight in decoder.parameters())


def test_two_layers_are_joined_as_spelt_out():
    decoder = Decoder([3, 5], DecoderSettings(width=4, widest=6))
    decoder(layers([3, 5], [(9, 7), (5, 4)], seed=1))  # so that the running moments are no start
    decoder.eval()
    fine, coarse = layers([3, 5], [(9, 7), (5, 4)])
    features, logit = decoder((fine, coarse))

    def normed(image, norm):
        mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
        scaled = (image - mean) / (var + norm.eps).sqrt()
        return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]

    def skip(image, part):
        return normed(torch.einsum("oi,sihw->sohw", part[0].weight[:, :, 0, 0], image), part[1])

    def joint(image, part):
        return normed(F.conv2d(image, part[0].weight, padding=1), part[1]).clamp(min=0)

    below = joint(skip(coarse, decoder.skips[1]), decoder.joints[1])
    assert below.shape == (2, 6, 5, 4)
    risen = F.interpolate(below, (9, 7), mode="bilinear")
    wanted = joint(torch.cat((skip(fine, decoder.skips[0]), risen), 1), decoder.joints[0])
    assert torch.allclose(features, wanted, atol=1e-5)
    head = torch.einsum("i,sihw->shw", decoder.head.weight[0, :, 0, 0], wanted) + decoder.head.bias
    assert torch.allclose(logit[:, 0], head, atol=1e-5)


def test_half_precision_layers_are_taken():
    decoder = Decoder([4], DecoderSettings(width=4)).eval()
    (layer,) = layers([4], [(6, 6)])
    assert decoder([layer.bfloat16()])[1].dtype == torch.float32


def test_layers_that_were_not_announced_are_refused():
    decoder = Decoder([4, 8], DecoderSettings(width=4))
    with pytest.raises(ValueError, match="longer"):
        decoder(layers([4], [(6, 6)]))


@pytest.mark.parametrize(
    "wrong", [{"finest": -1}, {"width": 0}, {"width": 64, "widest": 32}, {"expected": 0.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError) as caught:
        DecoderSettings(**wrong)
    assert caught.value.code == "E_SETTING"
