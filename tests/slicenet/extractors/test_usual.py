from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.neighbourhood import NeighbourhoodSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slices import SliceExtractor, SliceSettings
from slicenet.extractors.usual import PRIOR, Usual, deviations
from slicenet.volume import Volume
from slicenet.watch import silent

SHAPE = (4, 5, 6)
SETTINGS = SliceSettings(
    backbone=BackboneSettings(name="test_resnet", weights="random", precision="float32"),
    neighbourhood=NeighbourhoodSettings(width=96),
    finetune=FinetuneSettings(method="none"),
)


def framed(seed, sequences=1):
    """A box that is brain all over, as a frame leaves it."""
    generator = torch.Generator().manual_seed(seed)
    voxels = torch.randn(sequences, 64, 48, 6, generator=generator)
    brain = torch.ones(64, 48, 6, dtype=torch.bool)
    return Volume(voxels, brain, np.diag([2.0, 2.0, 2.0, 1.0]), f"framed{seed}")


def brains(count=6):
    random = np.random.default_rng(0)
    found = []
    for index in range(count):
        brain = torch.from_numpy(random.random(SHAPE) < 0.8)
        brain[0, 0, 0] = False
        voxels = torch.from_numpy(random.normal(1.0, 0.5, (1, *SHAPE))).float()
        found.append(Volume(voxels * brain, brain, np.eye(4), f"b{index}"))
    return found


def test_mean_and_deviation_are_those_of_the_brains_that_cover_a_voxel():
    volumes = brains()
    seen = np.stack([np.where(v.brain, v.voxels[0], np.nan) for v in volumes])
    count = np.isfinite(seen).sum(0)
    middle = np.nansum(seen, 0) / count.clip(1)
    around = np.nansum((seen - middle) ** 2, 0)
    overall = around.sum() / (count - 1).clip(0).sum()
    wanted = np.sqrt((around + PRIOR * overall) / (count - 1 + PRIOR).clip(PRIOR))
    mean, deviation = Usual.of(volumes).maps().float().numpy()
    covered = count > 0
    assert np.allclose(mean[covered], middle[covered], atol=2e-3)
    assert np.allclose(deviation, wanted, atol=2e-3)


def test_where_no_brain_is_the_whole_brain_counts():
    mean, deviation = Usual.of(brains()).maps().float()
    inside = torch.cat([volume.voxels[0][volume.brain] for volume in brains()])
    assert mean[0, 0, 0].item() == pytest.approx(inside.mean().item(), abs=2e-3)
    assert deviation[0, 0, 0].item() == pytest.approx(deviation.mean().item(), rel=0.3)


def test_a_brain_can_be_taken_out_again():
    volumes = brains()
    without = Usual.of(volumes).without(volumes[2]).maps()
    wanted = Usual.of(volumes[:2] + volumes[3:]).maps()
    assert torch.allclose(without.float(), wanted.float(), atol=2e-3)


def test_deviations_are_in_healthy_spreads():
    volumes = brains()
    maps = Usual.of(volumes).maps()
    found = deviations(volumes[0].voxels[0], maps)
    mean, deviation = maps.float().numpy()
    wanted = (volumes[0].voxels[0].numpy() - mean) / deviation
    assert np.allclose(found.numpy(), wanted, atol=1e-5)


def test_no_volume_tells_nothing():
    with pytest.raises(ConfigError, match="no volume"):
        Usual.of([])


def test_what_is_usual_is_seen_and_stays_with_the_weights():
    settings = replace(SETTINGS, picture=PictureSettings(usual=True), read=("intensity", "encoder"))
    torch.manual_seed(0)
    extractor = SliceExtractor(settings)
    extractor.fit([framed(seed) for seed in range(3)], silent)
    again = SliceExtractor(settings)
    again.load_state_dict(extractor.state_dict())
    vectors = extractor.extract(framed(5)).vectors
    assert vectors.shape[1] == 2 + 96  # the intensity and how far it is from what is usual
    assert torch.equal(again.extract(framed(5)).vectors, vectors)
    other = SliceExtractor(settings)
    other.load_state_dict(extractor.state_dict())
    other.usual = other.usual * 2
    changed = other.extract(framed(5)).vectors
    assert torch.equal(changed[:, 0], vectors[:, 0])
    assert not torch.allclose(changed[:, 1:], vectors[:, 1:])


def test_several_sequences_leave_no_colour_for_what_is_usual():
    settings = replace(SETTINGS, picture=PictureSettings(usual=True))
    found = []
    for chosen in (settings, SETTINGS):
        torch.manual_seed(0)
        extractor = SliceExtractor(chosen)
        extractor.fit([framed(0, sequences=2)], silent)
        found.append(extractor.extract(framed(1, sequences=2)).vectors)
    assert torch.equal(*found)
