from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.segmentation import (
    Course,
    Lessons,
    SegmentationSettings,
    compare,
    found,
    hard_overlap,
    segment,
)
from slicenet.extractors.slice_pool import gather
from slicenet.resampling import smooth
from slicenet.savepoint import Savepoint
from slicenet.simulation import JitterSettings, SimulationSettings
from slicenet.volume import Volume
from slicenet.watch import silent

TINY = BackboneSettings(name="test_resnet", weights="random", precision="float32")
BLOBS = SimulationSettings(
    mean=3.0, smallest=8.0, largest=16.0, strengths=(2.0, 3.0), mixed=0.0,
    shapes=("chains", "blocks"), looks=("shifted",), jitter=JitterSettings(noise=0.05),
)  # fmt: skip
SHORT = SegmentationSettings(
    steps=60, batch=8, rate=2e-3, decoder_rate=1e-2, settle=10, simulation=BLOBS
)


def brains(count=4, shape=(48, 56, 12)):
    lines = [torch.linspace(-1.15, 1.15, size) for size in shape]
    brain = sum(axis**2 for axis in torch.meshgrid(*lines, indexing="ij")) < 1
    for index in range(count):
        noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(index))
        voxels = smooth(noise, (3, 3, 3)) * 8 * brain
        yield Volume(voxels, brain, np.diag([2.0, 2.0, 4.0, 1.0]), f"brain{index}")


def pools(planes=("axial",)):
    return gather(brains(), list(planes), 8, 12, seed=0)


def networks(finest=1):
    torch.manual_seed(0)
    backbone = Backbone(TINY, finest=finest)
    return backbone, Decoder(backbone.channels, DecoderSettings(finest=finest, width=16))


def learnt(settings=SHORT, seed=0, planes=("axial",), watch=silent, savepoint=Savepoint()):
    backbone, decoder = networks()
    segment(backbone, decoder, pools(planes), PictureSettings(), settings, seed, watch, savepoint)
    return backbone, decoder


def lessons(settings=SHORT, seed=99, planes=("axial",)):
    return Lessons(pools(planes), PictureSettings(), settings, 16, seed)


def overlap(backbone, decoder, count=6):
    """Dice over batches that nobody has learnt from, in whatever mode the networks are."""
    seen = lessons()
    with torch.no_grad():
        batches = [seen.batch(step) for step in range(count)]
        logits = [found(backbone, decoder, batch.pictures).flatten() for batch in batches]
    truth = torch.cat([batch.truth.flatten() for batch in batches])
    brain = torch.cat([batch.brain.flatten() for batch in batches])
    return hard_overlap(torch.cat(logits), truth, brain)


@pytest.fixture(scope="module")
def trained():
    told = []
    pair = learnt(watch=lambda *step, **values: told.append((*step, values)))
    return *pair, told


def test_bright_blobs_are_found_in_slices_with_other_blobs(trained):
    backbone, decoder, _ = trained
    untrained = networks()
    for network in untrained:
        network.eval()
    assert overlap(backbone, decoder) > 0.6
    assert overlap(*untrained) < 0.3


def test_both_networks_are_left_ready_for_inference(trained):
    backbone, decoder, _ = trained
    assert not any(m.training for m in (*backbone.network.modules(), *decoder.modules()))
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}


def test_kept_moments_see_what_a_batchs_own_moments_see(trained):
    backbone, decoder, _ = trained
    pictures = lessons().batch(0).pictures
    with torch.no_grad():
        kept = found(backbone, decoder, pictures).sigmoid()
        state = {key: value.clone() for key, value in decoder.state_dict().items()}
        inner = {key: value.clone() for key, value in backbone.network.state_dict().items()}
        backbone.network.train()
        decoder.train()
        own = found(backbone, decoder, pictures).sigmoid()
    decoder.load_state_dict(state)
    backbone.network.load_state_dict(inner)
    backbone.network.eval()
    decoder.eval()
    assert torch.corrcoef(torch.stack((kept.flatten(), own.flatten())))[0, 1] > 0.95
    assert (kept - own).abs().mean() < 0.03


def test_the_watch_hears_of_every_step_and_of_a_falling_loss(trained):
    told = trained[2]
    assert [step[:3] for step in told] == [("finetune", done, 60) for done in range(1, 61)]
    losses = [step[3]["loss"] for step in told]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert told[-1][3]["dice"] > told[5][3]["dice"]


def test_one_seed_gives_the_same_bits_twice_and_another_does_not():
    quick = replace(SHORT, steps=3, settle=2)
    states = []
    for seed in (1, 1, 2):
        torch.rand(seed)  # what was drawn before does not matter
        backbone, decoder = learnt(quick, seed, ("axial", "coronal"))
        states.append({**backbone.state_dict(), **decoder.state_dict()})
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["head.weight"], states[2]["head.weight"])


def test_gradients_reach_the_first_layer_of_both():
    backbone, decoder = networks()
    batch = lessons().batch(0)
    compare(found(backbone, decoder, batch.pictures), batch.truth, batch.brain, 0.5).backward()
    assert backbone.network.conv1[0].weight.grad.abs().sum() > 0
    assert all(weight.grad.abs().sum() > 0 for weight in decoder.parameters())


def test_the_loss_is_the_formula():
    random = np.random.default_rng(0)
    logit, truth = random.normal(size=(3, 5, 6)), random.uniform(size=(3, 5, 6))
    brain = (random.uniform(size=(3, 5, 6)) < 0.7).astype(float)
    share = 1 / (1 + np.exp(-logit))
    entropy = -(truth * np.log(share) + (1 - truth) * np.log(1 - share))
    inside = brain > 0
    dice = (2 * (share * truth)[inside].sum() + 1) / (share[inside].sum() + truth[inside].sum() + 1)
    wanted = entropy[inside].mean() + 0.5 * (1 - dice)
    seen = compare(*map(torch.from_numpy, (logit, truth, brain)), 0.5)
    assert float(seen) == pytest.approx(wanted)


def test_nothing_outside_the_brain_counts():
    logit, truth, brain = torch.zeros(3, 2, 8, 8).unbind(0)
    brain = brain.clone()
    brain[:, 2:5] = 1
    first = compare(logit, truth, brain, 0.5)
    beyond = torch.where(brain > 0, 0.0, 9.0)
    assert torch.equal(compare(logit + beyond, truth, brain, 0.5), first)
    assert torch.isfinite(compare(logit, truth, brain * 0, 0.5))


def test_overlap_is_that_of_sets():
    logit = torch.tensor([1.0, 1.0, -1.0, 1.0])
    truth = torch.tensor([1.0, 0.0, 1.0, 1.0])
    assert hard_overlap(logit, truth, torch.ones(4)) == pytest.approx(4 / 6)
    assert hard_overlap(logit, truth, torch.tensor([1.0, 0.0, 0.0, 0.0])) == 1
    assert hard_overlap(-torch.ones(4), torch.zeros(4), torch.ones(4)) == 1


def test_a_step_is_one_plane_cut_to_its_brain_in_whole_cells():
    settings = replace(SHORT, margin=0)
    seen = lessons(settings, planes=("axial", "coronal"))
    shapes = set()
    for step in range(4):
        batch = seen.batch(step)
        shapes.add(tuple(batch.pictures.shape[2:]))
        assert all(size % 16 == 0 for size in batch.pictures.shape[2:])
        assert batch.truth.shape == batch.brain.shape == batch.pictures[:, 0].shape
        assert (batch.truth[batch.brain == 0] == 0).all()
        assert 0 <= batch.pictures.min() < batch.pictures.max() <= 1
        again = lessons(settings, planes=("axial", "coronal")).batch(step)
        assert torch.equal(batch.pictures, again.pictures)
    assert len(shapes) == 2
    assert not torch.equal(seen.batch(0).truth, seen.batch(2).truth)


def test_about_half_of_the_slices_are_mirrored_but_no_sagittal_one():
    still = SimulationSettings(mean=0.0, jitter=JitterSettings(0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    settings = replace(SHORT, batch=40, margin=1000, simulation=still)
    for plane, least, most in (("axial", 0.3, 0.7), ("sagittal", 0.0, 0.0)):
        seen = lessons(settings, planes=(plane,))
        (pool,), batch = seen.pools, seen.batch(0)
        h, w = pool.size
        drawn = batch.pictures[:, 0, :h, :w]
        known = pool.pictures(seen.picture)[:, 0]
        turned = pool.turned(torch.ones(len(pool), dtype=torch.bool)).pictures(seen.picture)[:, 0]
        near, far = (torch.cdist(drawn.flatten(1), one.flatten(1)) for one in (known, turned))
        share = float((far.amin(1) < near.amin(1)).float().mean())
        assert least <= share <= most


def test_a_loss_that_is_no_number_names_the_step():
    course = Course(*networks(), SHORT)
    course.step = 16
    with pytest.raises(ConfigError, match="nan at step 17 of 60") as caught:
        course.learn(torch.tensor(float("nan")), SHORT)
    assert caught.value.code == "E_DIVERGED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch": 1},
        {"margin": -1},
        {"settle": -1},
        {"rate": 0.0},
        {"decoder_rate": -1.0},
        {"clip": 0.0},
        {"decay": -1.0},
        {"overlap": -0.5},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError) as caught:
        SegmentationSettings(**wrong)
    assert caught.value.code == "E_SETTING"


def test_what_was_stopped_goes_on_to_the_same_bits(tmp_path):
    settings, path = replace(SHORT, steps=8), tmp_path / "partly.safetensors"

    def stop(stage, done, total, **values):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learnt(settings, watch=stop, savepoint=Savepoint(path, every=0))
    assert Savepoint(path).load()[1]["step"] == 4
    for one, other in zip(
        learnt(settings, savepoint=Savepoint(path)), learnt(settings), strict=True
    ):
        states = one.state_dict(), other.state_dict()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
