"""What every backend owes its users."""

import dataclasses

import pytest
import torch

from slicenet.backends import BACKENDS
from slicenet.cache import Cache
from slicenet.checkpoint import Model, read, save
from slicenet.config import merge, overlay
from slicenet.elsewhere import Elsewhere
from slicenet.errors import ConfigError
from slicenet.recipe import resolve
from tests.tiny import COARSE, PAIRS, SMALL, TINY, TINY_PRESETS

# Presets that bring more than another name or another budget; learnt once, not time and again.
ONCE = ["paper-arxiv", "paper-plos", "vqvae-gaussian-small"]
EVERY = [*sorted(BACKENDS), "t1-ixi", *PAIRS]


@pytest.fixture(params=[*EVERY, *ONCE], scope="module")
def model(request, make_brain, tmp_path_factory):
    recipe = resolve(request.param.partition(" ")[0])
    tiny = TINY_PRESETS.get(request.param, TINY.get(recipe.name))
    table = merge(COARSE, tiny) if tiny else SMALL
    backend = overlay(recipe.backend, PAIRS.get(request.param, table))
    torch.manual_seed(0)  # as `train` does: what is drawn follows from it
    detector = backend.build()
    cache = Cache(tmp_path_factory.mktemp("cache"))
    detector.fit([make_brain(seed) for seed in range(6)], cache=cache)
    detector.calibrate([make_brain(seed) for seed in range(20, 24)])
    return Model(detector, recipe.name, backend)


def test_a_lesion_scores_higher_than_the_rest_of_its_brain(model, make_brain):
    anomalies = model.detector.score(make_brain(9, lesion=True))
    lesion = torch.zeros_like(anomalies.brain)
    lesion[24:30, 24:30, 16:22] = True
    inside, outside = anomalies.scores[lesion], anomalies.scores[anomalies.brain & ~lesion]
    assert inside.mean() > outside.mean() + outside.std()


def test_the_map_lies_on_the_grid_of_the_volume(model, make_brain):
    volume = make_brain(9)
    anomalies = model.detector.score(volume)
    assert anomalies.scores.shape == volume.brain.shape
    assert (anomalies.scores[~volume.brain] == 0).all()
    assert torch.isfinite(anomalies.scores).all()


def test_one_volume_scores_alike_whatever_was_scored_before(model, make_brain):
    first = model.detector.score(make_brain(9)).scores
    model.detector.score(make_brain(10, lesion=True))
    assert torch.equal(model.detector.score(make_brain(9)).scores, first)


def test_saving_and_loading_changes_no_score(model, make_brain, tmp_path):
    save(tmp_path / "model.safetensors", model)
    again = read(tmp_path / "model.safetensors")
    volume = make_brain(9)
    one, two = model.detector.score(volume), again.detector.score(volume)
    assert torch.equal(one.scores, two.scores)
    assert one.volume_score == two.volume_score


@pytest.mark.parametrize("model", EVERY, indirect=True)
def test_training_again_gives_the_same_model(model, make_brain, tmp_path):
    torch.manual_seed(0)
    detector = model.backend.build()
    detector.fit([make_brain(seed) for seed in range(6)], cache=Cache(tmp_path))
    detector.calibrate([make_brain(seed) for seed in range(20, 24)])
    old = model.detector.state_dict()
    assert all(torch.equal(tensor, old[name]) for name, tensor in detector.state_dict().items())


def test_healthy_brains_stay_near_the_calibrated_rate(model, make_brain):
    # Of the kind that it was calibrated with.
    elsewhere = model.detector.frame.settings.elsewhere
    volumes = Elsewhere([make_brain(seed) for seed in range(30, 34)], elsewhere)
    rates = [
        model.detector.score(volume).mask("fpr:0.05")[volume.brain].float().mean()
        for volume in volumes
    ]
    assert 0.01 < sum(rates) / len(rates) < 0.15


@pytest.mark.parametrize("model", EVERY, indirect=True)
def test_two_sequences_make_one_map(model, make_brain, tmp_path):
    torch.manual_seed(0)
    detector = model.backend.build()
    detector.fit([make_brain(seed, sequences=2) for seed in range(4)], cache=Cache(tmp_path))
    healthy, sick = make_brain(9, sequences=2), make_brain(9, sequences=2)
    sick.voxels[1, 24:30, 24:30, 16:22] += 60  # in the second sequence alone
    scores = [
        detector.score(volume).scores[24:30, 24:30, 16:22].mean() for volume in (healthy, sick)
    ]
    assert scores[1] > scores[0]


def test_settings_are_frozen_and_explained(model):
    assert dataclasses.is_dataclass(model.backend)
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.backend.frame = None
    assert len((type(model.backend).__doc__ or "").strip()) > 20
    with pytest.raises(ConfigError, match="no such setting"):
        overlay(model.backend, {"framee": {}})
