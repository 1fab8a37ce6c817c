"""What every backend owes its users."""

import dataclasses

import pytest
import torch

from slicenet import presets
from slicenet.backends import BACKENDS
from slicenet.cache import Cache
from slicenet.checkpoint import Model, read, save
from slicenet.config import merge, overlay
from slicenet.elsewhere import Elsewhere
from slicenet.errors import ConfigError
from slicenet.recipe import resolve

SMALL = {"frame": {"spacing": [4, 4, 4]}}
TINY_SLICES = {
    "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
    "neighbourhood": {"width": 24},
    "finetune": {
        "each": 6,
        "decoder": {"width": 8},
        "lesions": {"steps": 80, "batch": 6, "settle": 4, "rate": 2e-3, "decoder_rate": 5e-3},
        "edc": {"steps": 10, "batch": 4},
        "joint": {"steps": 10, "batch": 4},
    },
}
TINY_VQVAE = {
    "finer": 2,
    "network": {"levels": 2, "width": 12, "blocks": 1, "codes": 32},
    "learn": {"steps": 60, "batch": 6, "rate": 3e-3, "average": 0.9},
    "prior": {"width": 24, "layers": 1, "heads": 2},
    "foretell": {"steps": 60, "batch": 8, "rate": 3e-3},
    "order": {"kinds": ["raster"], "count": 2},
}
TINY_FLOW = {"course": {"steps": 120, "batch": 512, "likelihood_first": 0}, "flow": {"blocks": 2}}
# What makes a backend small enough for a test: its box, its network, its budget.
TINY = {
    "simpleslicenet": {"slices": TINY_SLICES, "flow": TINY_FLOW},
    "simulated": {"slices": TINY_SLICES},
    "dagmm": {
        "frame": {"spacing": [4, 4, 4]},
        "dagmm": {"patches": {"size": [5, 5, 1]}, "learn": {"steps": 150, "batch": 256}},
    },
    "padim": {"slices": TINY_SLICES, "gaussian": {"components": 8}},
    "pair": {"slices": TINY_SLICES},
    "patchcore": {"slices": TINY_SLICES, "neighbours": {"candidates": 1000, "bank": 200}},
    "simclr": {
        "frame": {"spacing": [4, 4, 4]},
        "simclr": {
            "encoder": {"width": 8, "strides": [2, 1, 1, 1, 1]},
            "layers": [0, 1],
            "target": 0,
            "learn": {"steps": 2, "batch": 2},
        },
        "gaussian": {"components": 8},
    },
    "vqvae-residual": {"vqvae": TINY_VQVAE},
    "vqvae-transformer": {"vqvae": TINY_VQVAE},
}
TINY["msma"] = {
    "frame": {"spacing": [6, 6, 6]},
    "norms": {
        "network": {"width": 8, "depth": 2},
        "learn": {"steps": 40, "batch": 6, "rate": 4e-3},
        "patch": 16,
    },
}
TINY["token-msma"] = {
    "norms": {
        "slices": TINY_SLICES,
        "components": 8,
        "width": 32,
        "blocks": 1,
        "learn": {"steps": 100, "batch": 256, "rate": 5e-3},
    },
    "flow": {"course": {"steps": 60, "batch": 512, "rate": 4e-3}, "flow": {"blocks": 2}},
}
TINY["spatial-msma"] = {
    "frame": {"spacing": [6, 6, 6]},
    "norms": {
        "network": {"width": 8, "depth": 2},
        "levels": {"count": 4},
        "learn": {"steps": 30, "batch": 4, "rate": 4e-3},
        "patch": 16,
    },
    "flow": {"course": {"steps": 60, "batch": 512, "rate": 4e-3}, "flow": {"blocks": 2}},
}
TINY_SIAMESE = {
    "frame": {"spacing": [4, 4, 4]},
    "siamese": {
        "coder": {"kernels": [3, 3, 3], "strides": [1, 2, 1], "widths": [4, 8, 8]},
        "learn": {"steps": 60, "batch": 16, "rate": 5e-3, "settle": 10},
        "cell": 8.0,
    },
}
TINY |= {
    "siamese-lof": {**TINY_SIAMESE, "lof": {"kept": 1000}},
    "siamese-ocsvm": {**TINY_SIAMESE, "one_class_svm": {"each": 200}},
    "siamese-residual": TINY_SIAMESE,
}
# What has no backend of its own, on features that cost nothing.
PAIRS = {
    f"pair {scorer}": {**SMALL, "extractor": "texture", "texture": {"cell": 8}, "scorer": scorer}
    for scorer in ("lof", "mixture", "neighbours", "one_class_svm")
}
PAIRS["pair mixture"]["mixture"] = {"kept": 1000, "components": [1, 2]}
COARSE = {"frame": {"box": [128, 160, 144], "spacing": [2, 2, 4]}}
# Published, each brain is scaled by its own extremes: a lesion brighter than all dims the rest, and
# to a network that has learnt nothing, or a flow that has hardly begun, it need not stand out.
PUBLISHED = {
    "slices": {"backbone": {"name": "resnet18.tv_in1k", "weights": "imagenet"}},
    "flow": {"course": {"steps": 1000, "batch": 512, "rate": 1e-2}},
}
TINY_PRESETS = {
    name: merge(TINY["simpleslicenet"], PUBLISHED) for name in ("paper-arxiv", "paper-plos")
}
TINY_PRESETS["vqvae-gaussian-small"] = {"vqvae": {**TINY_VQVAE, "finer": 1}}
TINY_PRESETS["t1-ixi"] = merge(TINY["simpleslicenet"], {"frame": {"elsewhere": {"times": 1}}})
# The backend's own settings under another name, or in another budget: nothing more would be shown.
SAME = {"default", "msma-published", "msma-small", "padim-quick", "quick", "patchcore-quick",
        "simclr-harder", "simclr-published", "simclr-small", "simulated-quick",
        "spatial-msma-published", "spatial-msma-small", "token-msma-published",
        "token-msma-small"}  # fmt: skip

ONCE = set(TINY_PRESETS) - {"t1-ixi"}  # learn for a minute by what other backends show to repeat
EVERY = [*sorted({*BACKENDS, *presets.names()} - SAME - ONCE), *PAIRS]


@pytest.fixture(params=[*EVERY, *sorted(ONCE)], scope="module")
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
