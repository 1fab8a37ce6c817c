from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.contrast import ContrastSettings, contrast, difference
from slicenet.extractors.pictures import PictureSettings
from slicenet.watch import silent

SETTINGS = ContrastSettings(steps=8, batch=4, blocks=1, settle=2)


def norms(backbone):
    return [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_the_difference_is_that_of_the_cosines_of_whole_maps():
    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 4, 6, 5), (3, 8, 3, 2))
    twins, layers = ([torch.randn(s, generator=generator) for s in shapes] for _ in range(2))
    wanted = 0.0
    for twin, layer in zip(twins, layers, strict=True):
        flat = [np.float64(one.flatten(1).numpy()) for one in (twin, layer)]
        lengths = [np.linalg.norm(one, axis=1) for one in flat]
        wanted += np.mean(1 - (flat[0] * flat[1]).sum(1) / lengths[0] / lengths[1])
    assert difference(twins, layers).item() == pytest.approx(wanted, rel=1e-5)
    assert difference(layers, layers).item() == pytest.approx(0, abs=1e-6)
    assert difference([3 * one for one in layers], layers).item() == pytest.approx(0, abs=1e-6)


def test_no_gradient_reaches_what_the_decoder_must_match():
    twin, layer = (torch.rand(2, 3, 4, 4, requires_grad=True) for _ in range(2))
    difference([twin], [layer]).backward()
    assert layer.grad is None
    assert twin.grad.abs().sum() > 0


@pytest.mark.parametrize("finest", [None, 1])
def test_the_decoder_comes_to_know_what_the_encoder_saw(make_pool, make_backbone, told, finest):
    settings = replace(SETTINGS, steps=40, decoder_rate=5e-3)
    contrast(make_backbone(finest=finest), [make_pool()], PictureSettings(), settings, 0, told)
    losses = [step["loss"] for step in told.told]
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_the_encoder_learns_and_its_norms_are_as_before(make_pool, make_backbone):
    backbone, before = make_backbone(), make_backbone().state_dict()
    kept = [norm.momentum for norm in norms(backbone)]
    contrast(backbone, [make_pool()], PictureSettings(), SETTINGS, 0, silent)
    after = backbone.state_dict()
    assert not torch.equal(
        after["network.layer1.0.conv1.weight"], before["network.layer1.0.conv1.weight"]
    )
    assert [norm.momentum for norm in norms(backbone)] == kept
    assert not any(module.training for module in backbone.modules())


def test_norms_forget_as_slowly_as_published(make_pool, make_backbone):
    moved = []
    for momentum in (0.01, 0.1):
        backbone = make_backbone()
        settings = replace(SETTINGS, steps=1, momentum=momentum, settle=0)
        before = norms(backbone)[0].running_mean.clone()
        contrast(backbone, [make_pool()], PictureSettings(), settings, 0, silent)
        moved.append(norms(backbone)[0].running_mean - before)
    assert moved[0].abs().max() > 0
    # One step sees one batch: the first is a tenth of the second.
    assert torch.allclose(10 * moved[0], moved[1], rtol=1e-3, atol=1e-6)


def test_in_the_end_the_moments_are_those_of_what_is_seen(make_pool, make_backbone):
    pool, gaps = make_pool(), []
    for count in (0, 4):
        backbone = make_backbone()
        settings = replace(SETTINGS, margin=99, settle=count)
        contrast(backbone, [pool], PictureSettings(), settings, 0, silent)
        first, seen = norms(backbone)[0], []
        first.register_forward_pre_hook(lambda norm, given, seen=seen: seen.append(given[0]))
        backbone(pool.pictures(PictureSettings()))
        gaps.append(float((seen[0].detach().mean((0, 2, 3)) - first.running_mean).norm()))
    assert gaps[1] < 0.1 * gaps[0]


def test_what_is_learnt_follows_from_the_seed_alone(make_pool, make_backbone):
    found = []
    for seed in (1, 1, 2):
        backbone = make_backbone()
        torch.rand(len(found))
        contrast(backbone, [make_pool()], PictureSettings(), SETTINGS, seed, silent)
        found.append(backbone.state_dict()["network.layer3.0.conv1.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_rate_that_is_too_high_is_told_and_the_norms_are_put_back(make_pool, make_backbone):
    backbone = make_backbone()
    wild = replace(SETTINGS, steps=50, rate=1e30, decoder_rate=1e30)
    with pytest.raises(ConfigError, match=r"edc diverged at step \d+ of 50"):
        contrast(backbone, [make_pool()], PictureSettings(), wild, 0, silent)
    assert {norm.momentum for norm in norms(backbone)} == {0.1}


@pytest.mark.parametrize(
    "wrong",
    [{"momentum": 0.0}, {"blocks": 0}, {"margin": -1}, {"settle": -1}, {"rate": 0.0}, {"steps": 0}],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        ContrastSettings(**wrong)
