import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.colocated import Colocated
from slicenet.extractors.patch_coder import Coder, CoderSettings
from slicenet.extractors.shelf import Shelf
from slicenet.extractors.twinning import TwinSettings, learn_twins, scaled, twin_loss
from slicenet.watch import silent

SCALE = (torch.tensor([60.0]), torch.tensor([140.0]))


@pytest.fixture
def pairs(make_brain):
    """Of brains with as much noise of their own as they have in common."""
    brains = [make_brain(seed, shape=(20, 24, 16)) for seed in range(3)]
    common = 12 * torch.randn(brains[0].voxels.shape, generator=torch.Generator().manual_seed(9))
    for seed, brain in enumerate(brains):
        own = torch.randn(common.shape, generator=torch.Generator().manual_seed(seed))
        brain.voxels.copy_(100 + common + 12 * own)
    with Shelf(brains) as shelf:
        yield Colocated.on(shelf, "abc", (15, 15, 1), 0)


def learnt(pairs, settings, watch=silent):
    torch.manual_seed(0)
    coder = Coder(1, CoderSettings())
    learn_twins(coder, pairs, SCALE, settings, watch)
    return coder


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("likeness", ["cosine", "mse"])
def test_the_loss_is_that_of_the_paper(dimensions, likeness):
    generator = torch.Generator().manual_seed(0)
    patches, rebuilt = (
        torch.rand(2, 5, 3, *[4] * dimensions, generator=generator) for _ in range(2)
    )
    latents = torch.randn(2, 5, 6, generator=generator)
    x, y, z = (one.double().numpy() for one in (patches, rebuilt, latents))
    wanted = 0.0
    for pair in range(5):
        first, second = z[:, pair]
        cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        alike = cosine if likeness == "cosine" else -np.mean((first - second) ** 2)
        error = sum(np.linalg.norm(x[t, pair].ravel() - y[t, pair].ravel()) ** 2 for t in (0, 1))
        wanted += (error - 0.7 * alike) / 5
    settings = TwinSettings(alpha=0.7, likeness=likeness)
    assert twin_loss(patches, rebuilt, latents, settings).item() == pytest.approx(wanted, rel=1e-5)


def test_patches_come_back_better_and_better(pairs, told):
    learnt(pairs, TwinSettings(steps=40, batch=16, rate=5e-3), told)
    losses = [step["loss"] for step in told.told]
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_the_latents_of_a_place_become_more_alike_the_more_that_weighs(pairs):
    alike = []
    for alpha in (0.0, 30.0):
        coder = learnt(pairs, TwinSettings(steps=25, batch=16, alpha=alpha, rate=5e-3))
        with torch.no_grad():
            first, second = (coder.encode(one) for one in scaled(pairs.at(999, 64), *SCALE, axis=2))
        alike.append(float(torch.cosine_similarity(first, second).mean()))
    assert 1 - alike[1] < 0.5 * (1 - alike[0])


def test_the_norms_keep_the_moments_of_what_the_coder_sees(pairs):
    settings = TwinSettings(steps=3, batch=16, settle=30)
    coder = learnt(pairs, settings)
    assert not any(module.training for module in coder.modules())
    first = coder.encoder[0]
    with torch.no_grad():
        seen = torch.cat(
            [
                first[0](scaled(pairs.at(3 + more, 16), *SCALE, axis=2).flatten(0, 1))
                for more in range(30)
            ]
        )
    assert torch.allclose(first[1].running_mean, seen.mean((0, 2, 3)), atol=1e-3)


def test_what_is_learnt_follows_from_the_seeds_alone(pairs):
    settings = TwinSettings(steps=4, batch=8)
    one = learnt(pairs, settings).state_dict()
    torch.rand(7)
    two = learnt(pairs, settings).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_ends_of_the_range_become_0_and_1_and_nothing_is_cut(axis):
    low, high = torch.tensor([-2.0, 5.0]), torch.tensor([2.0, 6.0])
    values = torch.stack((torch.full((3, 4), 4.0), torch.full((3, 4), 4.5)))
    found = scaled(values[(None,) * axis], low, high, axis)
    assert torch.allclose(found.squeeze()[:, 0, 0], torch.tensor([1.5, -0.5]))


@pytest.mark.parametrize(
    "wrong", [{"alpha": -1.0}, {"likeness": "dot"}, {"steps": 0}, {"rate": 0.0}, {"settle": -1}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        TwinSettings(**wrong)
