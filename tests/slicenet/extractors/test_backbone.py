from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.expected import CAFFE, ExpectedSettings
from slicenet.timm_door import timm

TINY = BackboneSettings(name="test_resnet", weights="random", precision="float32")
PICTURES = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
SHARED = Path(__file__).parents[4] / "shared/weights"
RESNET18 = BackboneSettings(
    name="resnet18", weights=f"{SHARED}/resnet18_imagenet.safetensors", precision="float32"
)
RESNET50 = BackboneSettings(
    name="resnet50",
    weights=f"{SHARED}/resnet50_caffe_imagenet.safetensors",
    expected=CAFFE,
    precision="float32",
)
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/weights is not there")


def looking(settings):
    backbone = Backbone(settings)
    backbone.bring_weights()
    return backbone


def test_the_maps_are_those_of_the_whole_network():
    backbone = Backbone(TINY)
    whole = timm.create_model("test_resnet", num_classes=0).eval()
    state = {name: tensor for name, tensor in backbone.network.state_dict().items()}
    whole.load_state_dict(state, strict=False)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        wanted = whole.forward_intermediates(
            (PICTURES - mean) / deviation, indices=[2, 3], intermediates_only=True
        )
    for found, right in zip(backbone.look(PICTURES), wanted, strict=True):
        assert torch.allclose(found, right, atol=1e-4)


def test_strides_and_channels_are_told_before_anything_is_seen():
    backbone = Backbone(TINY)
    assert (backbone.strides, backbone.channels) == ((8, 16), (48, 192))
    shapes = [tuple(layer.shape) for layer in backbone.look(PICTURES)]
    assert shapes == [(2, 48, 8, 12), (2, 192, 4, 6)]


def test_a_decoder_gets_every_layer_from_the_finest_on_and_tapped_ones_stay_the_same():
    plain, rich = Backbone(TINY), Backbone(TINY, finest=0)
    assert (rich.strides, rich.tapped) == ((2, 4, 8, 16), (2, 3))
    rich.load_state_dict(plain.state_dict())
    found = rich.look(PICTURES)
    for index, right in zip(rich.tapped, plain.look(PICTURES), strict=True):
        assert torch.allclose(found[index], right, atol=1e-5)


def test_gradients_reach_the_first_layer_in_training_only():
    backbone = Backbone(TINY)
    sum(layer.square().mean() for layer in backbone(PICTURES)).backward()
    assert backbone.network.conv1[0].weight.grad.abs().sum() > 0
    assert not any(layer.requires_grad for layer in backbone.look(PICTURES))


def test_random_weights_follow_from_the_seed_and_not_from_earlier_draws():
    states = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        torch.rand(len(states))
        before = torch.random.get_rng_state()
        states.append(Backbone(TINY).state_dict())
        assert torch.equal(torch.random.get_rng_state(), before)
    name = "network.layer3.0.conv1.weight"
    assert torch.equal(states[0][name], states[1][name])
    assert not torch.equal(states[0][name], states[2][name])


def test_random_weights_are_named_as_such():
    assert [notice.code for notice in Backbone(TINY).notices(False)] == ["W_RANDOM_WEIGHTS"]
    assert Backbone(replace(TINY, weights="imagenet")).notices(False) == ()


def test_no_block_is_silent_in_a_random_backbone():
    norms = [m for m in Backbone(TINY).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all((norm.weight == 1).all() for norm in norms)


def test_inference_mode_is_kept_and_no_gradient_is_followed():
    backbone = Backbone(TINY).train()
    first = backbone.look(PICTURES)[1]
    assert torch.equal(backbone.look(PICTURES)[1], first)
    assert not first.requires_grad


def test_bfloat16_sees_nearly_the_same():
    backbone = Backbone(replace(TINY, precision="bfloat16"))
    exact = Backbone(TINY)
    exact.load_state_dict(backbone.state_dict())
    fast, slow = backbone.look(PICTURES)[1].float(), exact.look(PICTURES)[1]
    assert not torch.equal(fast, slow)
    assert torch.corrcoef(torch.stack((fast.flatten(), slow.flatten())))[0, 1] > 0.99


@pytest.mark.parametrize("name", ["no_such_backbone", "hf-hub:timm/resnet18.tv_in1k"])
def test_names_that_timm_lacks_or_would_fetch_are_refused(name):
    with pytest.raises(ConfigError, match="no such backbone"):
        Backbone(replace(TINY, name=name))


def test_taps_that_are_not_there_are_refused():
    with pytest.raises(ConfigError, match=r"no taps \(2, 9\)"):
        Backbone(replace(TINY, taps=(2, 9)))


@pytest.mark.parametrize(
    "wrong", [{"taps": ()}, {"taps": (3, 2)}, {"weights": ""}, {"precision": "half"}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        BackboneSettings(**wrong)


@shared
@pytest.mark.parametrize(
    ("settings", "channels"), [(RESNET18, (128, 256)), (RESNET50, (512, 1024))]
)
def test_shared_weights_see_the_same_twice_at_strides_8_and_16(settings, channels):
    backbone = looking(settings)
    assert (backbone.strides, backbone.channels) == ((8, 16), channels)
    first, again = backbone.look(PICTURES), looking(settings).look(PICTURES)
    for layer, same, count, stride in zip(first, again, channels, (8, 16), strict=True):
        assert layer.shape == (2, count, 64 // stride, 96 // stride)
        assert torch.equal(layer, same)


@shared
@pytest.mark.parametrize(
    ("settings", "change"),
    [
        (RESNET18, {"order": "bgr"}),
        (RESNET18, {"white": 255.0}),
        (RESNET50, {"order": "rgb"}),
        (RESNET50, {"stride": "conv2"}),
        (RESNET50, {"mean": (0.0, 0.0, 0.0)}),
    ],
)
def test_what_weights_expect_decides_what_they_see(settings, change):
    right = looking(settings).look(PICTURES)[1]
    other = replace(settings, expected=replace(settings.expected, **change))
    wrong = looking(other).look(PICTURES)[1]
    assert (wrong - right).norm() > 0.1 * right.norm()


@shared
@pytest.mark.parametrize(
    "wrong", [replace(CAFFE, stride="conv2"), replace(CAFFE, white=1.0), ExpectedSettings()]
)
def test_batch_norms_see_what_they_were_trained_on_only_as_expected(wrong):
    other = replace(RESNET50, expected=wrong)
    assert surprise(RESNET50) < surprise(other)


@cache
def surprise(settings):
    """How far the inputs of batch norms lie from their running moments, on natural spectra."""
    backbone, gaps = looking(settings), []

    def compare(norm, inputs):
        seen = inputs[0].detach()
        shift = (seen.mean((0, 2, 3)) - norm.running_mean) / norm.running_var.sqrt()
        spread = (seen.var((0, 2, 3)) / norm.running_var).clamp(min=1e-9).log()
        gaps.append(float(shift.abs().mean() + spread.abs().mean()))

    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_pre_hook(compare)
    backbone(scenes())  # with gradients on, or the norms would be folded away
    return sum(gaps) / len(gaps)


def scenes(size=96):
    """Pictures with the 1/f amplitudes of natural ones, [4, 3, size, size]."""
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)
    amplitude = 1 / (rows**2 + columns**2).sqrt().clamp(min=1 / size)
    grey, colour = (
        torch.fft.irfft2(torch.fft.rfft2(torch.randn(shape, generator=generator)) * amplitude)
        for shape in ((4, 1, size, size), (4, 3, size, size))
    )
    both = grey + 0.2 * colour
    return (0.45 + 0.25 * both / both.std()).clamp(0, 1)


def test_norms_that_are_anchored_keep_the_answer_of_weights_that_were_brought():
    backbone = looking(
        BackboneSettings("resnet18.tv_in1k", weights="imagenet", precision="float32")
    )
    before = backbone.look(PICTURES)
    backbone.anchor([PICTURES])
    norm = backbone.network.layer2[0].bn1
    assert norm.weight.std() > 0.01  # it was multiplied out
    backbone.network.train()
    with torch.no_grad():
        learning = backbone(PICTURES)
    for old, now, own in zip(before, backbone.look(PICTURES), learning, strict=True):
        assert torch.allclose(now, old, atol=1e-2 * old.abs().max())
        assert torch.allclose(own, old, atol=5e-2 * old.abs().max())


def test_random_weights_are_not_anchored():
    backbone = looking(TINY)
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    backbone.anchor([PICTURES])
    assert all(torch.equal(before[name], now) for name, now in backbone.state_dict().items())
