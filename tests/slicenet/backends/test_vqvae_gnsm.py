import torch

from slicenet.backends.vqvae_gnsm import VqVaeGnsm
from slicenet.config import merge, overlay
from slicenet.recipe import resolve
from tests.tiny import COARSE, TINY


def test_what_is_judged_is_the_index_of_each_token(make_brain):
    torch.manual_seed(0)
    detector = overlay(VqVaeGnsm(), merge(COARSE, TINY["vqvae-gnsm"])).build()
    detector.fit([make_brain(seed) for seed in range(4)])
    volume = detector.frame.enter(make_brain(9))
    found, grid = detector.extractor.extract(volume), detector.extractor.tokens(volume)
    # The lattice has x, y, z in this order, and a slice a plane of z.
    lattice = grid.tokens.permute(1, 2, 0)
    assert torch.equal(found.vectors[:, 0].long(), lattice[found.inside])
    codes = detector.extractor.settings.network.codes
    assert detector.scorer.kinds.tolist()[0] <= codes + 1
    alone = detector.scorer.score(found)
    assert alone.shape == (len(found.vectors),)
    assert alone.min() >= 0


def test_the_published_preset_joins_what_was_published_apart():
    tokens = resolve("vqvae-residual-published").backend.vqvae
    labels = resolve("gnsm-labels-published").backend.gnsm
    both = resolve("vqvae-gnsm-published").backend
    assert (both.vqvae.network, both.vqvae.learn) == (tokens.network, tokens.learn)
    assert (both.gnsm.ladder, both.gnsm.judge) == (labels.ladder, "mixture")
    assert both.gnsm.course == labels.course
