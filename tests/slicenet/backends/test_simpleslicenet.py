import pytest
import torch

from slicenet.config import overlay
from slicenet.extractors.pictures import PictureSettings
from slicenet.recipe import resolve
from slicenet.watch import silent

TINY = {
    "slices": {
        "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
        "neighbourhood": {"width": 24},
    }
}


@pytest.mark.parametrize(
    ("name", "voxels", "cells"),
    [
        ("default", (192, 224, 96), (96, 112, 32)),
        ("paper-arxiv", (240, 288, 96), (30, 36, 32)),
        ("paper-plos", (192, 192, 96), (24, 24, 32)),
        ("quick", (128, 152, 48), (64, 76, 48)),
    ],
)
def test_every_preset_has_the_shape_that_its_name_promises(name, voxels, cells, make_brain):
    detector = overlay(resolve(name).backend, TINY).build()
    volume = make_brain(1)
    assert detector.frame.shape == voxels
    with torch.no_grad():
        framed = detector.frame.enter(volume)
        features = detector.extractor.extract(framed)
    assert tuple(framed.brain.shape) == voxels
    assert tuple(features.inside.shape) == cells
    assert 0 < int(features.inside.sum()) < features.inside.numel()


@pytest.mark.parametrize("name", ["paper-arxiv", "paper-plos"])
def test_published_networks_see_one_grey_repeated_between_the_extremes_of_a_brain(name):
    assert resolve(name).backend.slices.picture == PictureSettings(scale="extremes", usual=False)


def test_the_published_flows_have_their_widths_and_their_losses():
    widths = {}
    for name in ("paper-arxiv", "paper-plos"):
        backend = resolve(name).backend
        detector = backend.build()
        assert detector.extractor.settings.neighbourhood.width == 512
        assert detector.extractor.backbone.strides == (8, 16)
        detector.scorer.build(512, 128)
        # A third of a million a block, besides its rotation (METHODS 1.1: 2.77 million in 8).
        widths[name] = sum(p.numel() for p in detector.scorer.flow.parameters()) / 1e6
    assert widths["paper-plos"] == pytest.approx(2.77, abs=0.01)
    assert widths["paper-arxiv"] == pytest.approx(2.77 / 4, abs=0.01)


def test_fine_tuning_asks_for_the_weights_first_and_says_which_are_missing(make_brain):
    detector = resolve("default").backend.build()
    with pytest.raises(Exception, match=r"wide_resnet50_2\.tv_in1k") as caught:
        detector.extractor.fit([make_brain(0)], silent)
    assert caught.value.code == "E_WEIGHTS"
