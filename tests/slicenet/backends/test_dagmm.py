import pytest
import torch

from slicenet import presets
from slicenet.backends.dagmm import Dagmm
from slicenet.config import overlay
from slicenet.recipe import resolve

TINY = {
    "frame": {"box": [128, 160, 144], "spacing": [4, 4, 4]},
    "dagmm": {"learn": {"steps": 30, "batch": 128, "each": 500}},
    "map": {"position": {"kind": "none"}, "smooth": 0},
}


def test_the_score_is_the_energy():
    detector = Dagmm().build()
    assert detector.extractor.settings.read == "energy"
    assert type(detector.scorer).__name__ == "ChannelScorer"


@pytest.mark.parametrize("name", [name for name in presets.names() if name.startswith("dagmm")])
def test_the_frame_of_every_preset_is_whole_cells(name):
    backend = resolve(name).backend
    steps = backend.dagmm.patches.steps
    shape = backend.build().frame.shape
    assert all(size % step == 0 for size, step in zip(shape, steps, strict=True))


def test_the_published_preset_has_the_published_nets():
    compression = resolve("dagmm-published").backend.dagmm.compression
    assert (compression.hidden, compression.code, compression.estimate) == ((60, 30, 10), 1, 10)
    assert compression.residuals == ("relative", "cosine")


def test_a_cohort_that_is_scored_together_scores_as_each_alone(make_brain):
    torch.manual_seed(0)
    detector = overlay(Dagmm(), TINY).build()
    detector.fit([make_brain(seed) for seed in range(3)])
    brains = [make_brain(9), make_brain(10, lesion=True), make_brain(11)]
    forth = [detector.score(brain).scores for brain in brains]
    back = [detector.score(brain).scores for brain in reversed(brains)][::-1]
    assert all(torch.equal(one, two) for one, two in zip(forth, back, strict=True))
