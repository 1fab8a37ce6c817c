import pytest
import torch

from slicenet import presets
from slicenet.backends.vqvae_residual import VqVaeResidual
from slicenet.features import FeatureMap
from slicenet.recipe import resolve
from slicenet.watch import silent


def test_less_lost_than_usual_is_not_strange():
    scorer = VqVaeResidual().build().scorer
    inside = torch.ones(1, 1, 1, dtype=torch.bool)
    scorer.fit([FeatureMap(torch.tensor([[value, value]]), inside) for value in (1.0, 3.0)], silent)
    low, middle, high = (
        float(scorer.score(FeatureMap(torch.tensor([[value, value]]), inside)))
        for value in (0.0, 2.0, 5.0)
    )
    assert low < middle == 0 < high


@pytest.mark.parametrize("name", [name for name in presets.names() if name.startswith("vqvae")])
def test_the_frame_of_every_preset_is_whole_tokens(name):
    backend = resolve(name).backend
    cell = backend.vqvae.network.cell
    assert all(size % cell == 0 for size in backend.build().frame.shape[:2])


def test_the_published_presets_are_of_the_published_sizes():
    for name in ("vqvae-residual-published", "vqvae-transformer-published"):
        network = resolve(name).backend.vqvae.network
        assert (network.cell, network.width, network.blocks, network.codes) == (8, 256, 3, 32)


def test_the_small_presets_learn_the_same_tokens():
    found = [resolve(f"vqvae-{name}-small").backend.vqvae for name in
             ("residual", "transformer", "gaussian", "gnsm")]  # fmt: skip
    assert len({(one.network, one.learn) for one in found}) == 1
