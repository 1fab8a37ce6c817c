from dataclasses import replace

import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.contrast import ContrastSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.finetune import FinetuneSettings, finetune
from slicenet.extractors.joint import JointSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.segmentation import SegmentationSettings
from slicenet.watch import silent

SHORT = FinetuneSettings(
    decoder=DecoderSettings(width=8, widest=16),
    lesions=SegmentationSettings(steps=2, batch=2, settle=1),
    edc=ContrastSettings(steps=2, batch=2, blocks=1),
    joint=JointSettings(steps=2, alone=1, batch=2, tokens=64, blocks=1),
)


def tuned(make_pool, backbone, decoder, settings, watch=silent):
    width = NeighbourhoodSettings(width=96)
    finetune(backbone, decoder, [make_pool()], PictureSettings(), width, settings, 0, watch)
    return backbone


@pytest.mark.parametrize("method", ["edc", "joint", "lesions"])
def test_each_method_changes_the_backbone_and_leaves_it_frozen(make_pool, make_backbone, method):
    backbone = make_backbone(finest=1)
    before = {name: one.clone() for name, one in backbone.state_dict().items()}
    decoder = Decoder(backbone.channels, SHORT.decoder) if method == "lesions" else None
    tuned(make_pool, backbone, decoder, replace(SHORT, method=method))
    name = "network.layer3.0.conv1.weight"
    assert not torch.equal(before[name], backbone.state_dict()[name])
    for network in filter(None, (backbone, decoder)):
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert not any(module.training for module in network.modules())


def test_no_method_leaves_every_tensor_and_freezes_it(make_pool, make_backbone, told):
    backbone = make_backbone().train()
    before = {name: one.clone() for name, one in backbone.state_dict().items()}
    tuned(make_pool, backbone, None, replace(SHORT, method="none"), told)
    assert all(torch.equal(one, before[name]) for name, one in backbone.state_dict().items())
    assert not backbone.training
    assert told.told == []


def test_a_frozen_backbone_can_learn_again(make_pool, make_backbone):
    backbone = make_backbone()
    first = tuned(make_pool, backbone, None, replace(SHORT, method="edc")).state_dict()
    first = {name: one.clone() for name, one in first.items()}
    again = tuned(make_pool, backbone, None, replace(SHORT, method="edc")).state_dict()
    name = "network.layer3.0.conv1.weight"
    assert not torch.equal(first[name], again[name])


def test_what_diverges_is_left_frozen_as_well(make_pool, make_backbone):
    backbone = make_backbone()
    wild = replace(SHORT, method="edc", edc=ContrastSettings(steps=50, batch=2, rate=1e30))
    with pytest.raises(ConfigError, match="diverged"):
        tuned(make_pool, backbone, None, wild)
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_a_decoder_that_nothing_would_teach_is_refused_and_so_is_its_lack(make_pool, make_backbone):
    backbone = make_backbone(finest=1)
    decoder = Decoder(backbone.channels, SHORT.decoder)
    with pytest.raises(ConfigError, match="edc leaves no decoder"):
        tuned(make_pool, backbone, decoder, replace(SHORT, method="edc"))
    with pytest.raises(ConfigError, match="needs a decoder"):
        tuned(make_pool, backbone, None, SHORT)


@pytest.mark.parametrize("wrong", [{"method": "tumours"}, {"each": 0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        FinetuneSettings(**wrong)
