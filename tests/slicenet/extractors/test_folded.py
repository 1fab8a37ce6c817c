import copy
import functools
from pathlib import Path

import pytest
import torch

from slicenet.extractors import convolution
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.expected import CAFFE, ExpectedSettings
from slicenet.extractors.folded import Folding, can_be_folded

PICTURES = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
SHARED = Path(__file__).parents[4] / "shared/weights"


def backbone(name="test_resnet", finest=None, expected=ExpectedSettings(), weights="random"):
    """One whose batch norms have moments of their own, as trained ones have."""
    settings = BackboneSettings(name=name, weights=weights, precision="float32", expected=expected)
    built = Backbone(settings, finest)
    built.bring_weights()
    torch.manual_seed(1)
    for module in built.modules():
        if weights == "random" and isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return built


def apart(found, wanted):
    """Largest distance of two lists of layers, relative to the second."""
    pairs = zip(found, wanted, strict=True)
    return max(float((one - two).norm() / two.norm()) for one, two in pairs)


def unfolded(built, pictures=PICTURES):
    """What the network of timm itself makes of pictures."""
    return [layer.detach() for layer in built(pictures)]  # gradients are on, so nothing is folded


@pytest.mark.parametrize("finest", [None, 0])
@pytest.mark.parametrize(
    ("name", "expected"),
    [("test_resnet", ExpectedSettings()), ("resnet18", ExpectedSettings()), ("resnet50", CAFFE)],
)
def test_folded_networks_show_what_unfolded_ones_do(name, expected, finest):
    built = backbone(name, finest, expected)
    assert can_be_folded(built.network)
    assert apart(built.look(PICTURES), unfolded(built)) < 1e-5


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/weights is not there")
def test_what_is_compiled_shows_the_same(monkeypatch):
    # Traced whole, as for a GPU: without the kernels of a CPU, and without machine code.
    monkeypatch.setattr(convolution, "FUSED", None)
    traced = functools.partial(torch.compile, backend="eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", traced)
    settings = BackboneSettings("test_resnet", weights="random", precision="float32", compiled=True)
    built = Backbone(settings)
    wanted = unfolded(built)
    assert apart(built.look(PICTURES), wanted) < 1e-5
    assert apart(copy.deepcopy(built).look(PICTURES), wanted) < 1e-5


def test_trained_weights_in_their_own_settings_stay_what_they_were():
    weights = str(SHARED / "resnet50_caffe_imagenet.safetensors")
    built = backbone("resnet50", None, CAFFE, weights)
    assert apart(built.look(PICTURES), unfolded(built)) < 1e-4


def test_the_folded_form_follows_training():
    built = backbone()
    before = built.look(PICTURES)
    built.train()
    optimiser = torch.optim.SGD(built.parameters(), lr=0.1)
    sum(layer.square().mean() for layer in built(PICTURES)).backward()
    optimiser.step()
    built.eval()
    assert apart(built.look(PICTURES), before) > 1e-2
    assert apart(built.look(PICTURES), unfolded(built)) < 1e-5


def test_moments_alone_are_followed_too():
    built = backbone()
    before = built.look(PICTURES)
    built.train()
    with torch.no_grad():
        built(PICTURES)  # only the running moments move
    assert apart(built.look(PICTURES), before) > 1e-3
    assert apart(built.look(PICTURES), unfolded(built)) < 1e-5


def test_the_folded_form_follows_a_load_and_keeps_the_state_as_it_was():
    built, other = backbone(), backbone()
    names = list(built.state_dict())
    with torch.no_grad():
        next(other.parameters()).mul_(2)
    built.look(PICTURES)
    built.load_state_dict(other.state_dict())
    assert torch.equal(built.look(PICTURES)[0], other.look(PICTURES)[0])
    assert list(built.state_dict()) == names


def test_nothing_is_folded_twice_for_the_same_weights():
    built, folding = backbone(), Folding()
    first = folding.of(built.network, torch.float32)
    assert folding.of(built.network, torch.float32) is first
    assert folding.of(built.network, torch.bfloat16) is not first


def test_a_copy_goes_its_own_way():
    built = backbone()
    before = built.look(PICTURES)[0]
    twin = copy.deepcopy(built)
    with torch.no_grad():
        next(twin.parameters()).mul_(2)
    assert torch.equal(built.look(PICTURES)[0], before)
    assert not torch.equal(twin.look(PICTURES)[0], before)


@pytest.mark.parametrize("name", ["seresnet50", "convnext_atto", "resnetblur50"])
def test_networks_of_other_parts_are_left_as_they_are(name):
    built = Backbone(BackboneSettings(name, (1, 2), "random", precision="float32"))
    assert not can_be_folded(built.network)
    assert apart(built.look(PICTURES), unfolded(built)) < 1e-6


def test_shown_layers_are_not_written_over():
    built = backbone("resnet18", finest=0)
    layers = built.look(PICTURES)
    assert len({layer.data_ptr() for layer in layers}) == len(layers)
    assert apart(layers[:1], unfolded(built)[:1]) < 1e-5
