from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.denoising import DenoisingSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.score_model import NoiseLevelSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.token_norms import (
    PLACE,
    TokenNormExtractor,
    TokenNormSettings,
    whitening,
)
from slicenet.flows.position import position_code
from slicenet.watch import silent

SHAPE = (32, 32, 12)
SLICES = SliceSettings(
    backbone=BackboneSettings("test_resnet", weights="random", precision="float32"),
    neighbourhood=NeighbourhoodSettings(width=16),
    finetune=FinetuneSettings(method="none"),
)
TINY = TokenNormSettings(
    slices=SLICES, components=6, width=16, blocks=1, levels=NoiseLevelSettings(3, 0.2, 4.0),
    learn=DenoisingSettings(steps=4, batch=32), held=0.5,
)  # fmt: skip


@pytest.fixture
def volumes(make_brain):
    made = [make_brain(seed, shape=SHAPE) for seed in range(4)]
    # On the scale of a frame: pictures show what lies beyond as one white.
    return [replace(one, voxels=(one.voxels - 100) / 10 * one.brain) for one in made]


def fitted(volumes, settings=TINY):
    torch.manual_seed(0)
    made = TokenNormExtractor(settings)
    made.fit(volumes, silent)
    return made


def test_norms_are_lengths_of_the_scores_of_reduced_tokens(volumes):
    made = fitted(volumes)
    found, tokens = made.extract(volumes[0]), made.slices.extract(volumes[0])
    assert torch.equal(found.inside, tokens.inside)
    reduced = (tokens.vectors - made.mean) @ made.basis
    place = position_code(tokens.inside.shape, PLACE)[tokens.inside]
    for row, level in zip(found.vectors.T, TINY.levels.levels(), strict=True):
        scores = made.model(reduced, level.expand(len(reduced)), place).numpy()
        assert np.allclose(row, np.sqrt((scores**2).sum(1)), rtol=1e-4)
    logged = fitted(volumes, replace(TINY, log=True)).extract(volumes[0])
    torch.testing.assert_close(logged.vectors, found.vectors.log())


def test_what_tokens_taught_goes_where_the_network_is(volumes):
    tokens = fitted(volumes).slices.extract(volumes[0]).vectors  # on the CPU, as they are gathered
    made = TokenNormExtractor(TINY).to("meta")
    made.build(*whitening(tokens, TINY.components))
    assert {tensor.device.type for tensor in made.state_dict().values()} == {"meta"}


def test_the_place_changes_the_norm(volumes):
    made = fitted(volumes, replace(TINY, learn=DenoisingSettings(steps=40, batch=64)))
    token = torch.zeros(2, 6)
    near, far = made._norms(token, torch.stack((torch.zeros(48), torch.ones(48))))
    assert (near - far).abs().max() > 1e-3


def test_the_network_learns_nothing_from_volumes_that_are_held(volumes):
    made = fitted(volumes)
    held = list(made.spared(4))
    assert len(held) == 2
    others = [
        replace(volume, voxels=volume.voxels.flip(1) * volume.brain) if place in held else volume
        for place, volume in enumerate(volumes)
    ]
    again = fitted(others).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in made.state_dict().items())
    taught = [place for place in range(4) if place not in held]
    first = volumes[taught[0]]
    others[taught[0]] = replace(first, voxels=first.voxels.flip(1) * first.brain)
    assert not torch.equal(fitted(others).mean, made.mean)


def test_tokens_too_large_for_half_precision_stay_finite(volumes):
    made = TokenNormExtractor(TINY)
    for parameter in made.slices.backbone.parameters():
        parameter.data *= 100
    assert made.slices.extract(volumes[0]).vectors.abs().max() > 70_000
    assert torch.isfinite(made._gather(volumes, {0, 1}, silent).values).all()


def test_components_are_those_of_scikit_learn_at_unit_spread():
    draw = torch.Generator().manual_seed(0)
    tokens = 3 + torch.randn(500, 8, generator=draw) @ torch.randn(8, 8, generator=draw)
    mean, basis = whitening(tokens, 4)
    found = ((tokens - mean) @ basis).numpy()
    wanted = PCA(4, whiten=True).fit_transform(tokens.numpy())[:, ::-1] * np.sqrt(500 / 499)
    assert np.allclose(np.abs(found), np.abs(wanted), atol=1e-3)
    plain = (tokens - mean) @ whitening(tokens, 0)[1]
    torch.testing.assert_close(plain.std(0, correction=0), torch.ones(8))


def test_a_channel_that_never_changes_is_not_blown_up():
    tokens = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    tokens[:, 1] = 2.0
    for components in (0, 3):
        mean, basis = whitening(tokens, components)
        assert ((tokens - mean) @ basis).abs().max() < 10


def test_another_instance_takes_what_was_learnt(volumes):
    made, other = fitted(volumes), TokenNormExtractor(TINY)
    other.load_state_dict(made.state_dict())
    one, two = made.extract(volumes[1]), other.extract(volumes[1])
    assert torch.equal(one.vectors, two.vectors)
    assert list(other.spared(4)) == list(made.spared(4))


def test_how_norms_are_taken_does_not_change_what_is_learnt():
    def lessons(settings):
        torch.manual_seed(0)
        return TokenNormExtractor(settings).lessons()

    assert lessons(TINY) == lessons(replace(TINY, log=True, levels=replace(TINY.levels, count=9)))
    assert lessons(TINY) != lessons(replace(TINY, components=5))


def test_what_slices_tell_of_themselves_is_passed_on():
    made = TokenNormExtractor(TINY)
    assert made.notices == SliceExtractor(SLICES).notices
    assert [notice.code for notice in made.notices] == ["W_RANDOM_WEIGHTS"]
    assert made.learnt_from() == ()


def test_more_components_than_channels_are_refused():
    with pytest.raises(ConfigError, match="9 of 8 channels"):
        whitening(torch.zeros(20, 8), 9)


@pytest.mark.parametrize(
    "wrong", [{"components": -1}, {"width": 0}, {"blocks": 0}, {"tokens": 0}, {"held": 1.0}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        replace(TINY, **wrong)
