import pytest
import torch

from slicenet.backends.spatial_msma import SpatialMsma
from slicenet.features import FeatureMap
from slicenet.flows.spline import SplineBlock
from slicenet.recipe import resolve
from slicenet.scorers.condition import place_codes
from slicenet.watch import silent


def test_the_published_preset_has_the_levels_and_couplings_of_the_paper():
    backend = resolve("spatial-msma-published").backend
    assert backend.norms.levels.count == 20
    assert backend.frame.spacing == (2.0, 2.0, 2.0)
    assert not backend.norms.places
    scorer = backend.build().scorer
    scorer.build(20, 256)
    assert len(scorer.flow.chain) == 20
    assert all(isinstance(block, SplineBlock) for block in scorer.flow.chain)


@pytest.mark.parametrize("name", ["spatial-msma", "spatial-msma-small", "spatial-msma-published"])
def test_density_is_learnt_from_brains_held_out_and_by_likelihood_alone(name):
    backend = resolve(name).backend
    assert backend.norms.held > 0
    assert backend.norms.window == 3
    assert backend.flow.loss.loss == "none"
    assert backend.flow.loss.likelihood == "nll"
    assert backend.flow.condition == "global"


def test_the_map_is_minus_the_log_density_of_norms_at_their_place():
    settings = SpatialMsma().flow
    torch.manual_seed(0)
    scorer = SpatialMsma().build().scorer
    scorer.settings = type(settings)(
        flow=settings.flow, loss=settings.loss, condition="volume",
        course=type(settings.course)(steps=3, batch=64),
    )  # fmt: skip
    inside = torch.ones(4, 4, 4, dtype=torch.bool)
    maps = [
        FeatureMap(torch.randn(64, 5, generator=torch.Generator().manual_seed(seed)), inside)
        for seed in range(3)
    ]
    scorer.fit(maps, silent)
    vectors = maps[0].vectors.double()
    jacobian, latents = [], []
    flow, place = scorer.flow.double(), place_codes("volume", (4, 4, 4)).double()
    for row in range(4):

        def latent(vector, row=row):
            standard = (vector - scorer.mean) / scorer.spread
            return flow.latent(standard[None], place[row][None])[0][0]

        whole = torch.autograd.functional.jacobian(latent, vectors[row])
        # In standardised norms, whose scale is the same everywhere.
        jacobian.append(torch.linalg.slogdet(whole).logabsdet + scorer.spread.log().sum())
        latents.append(latent(vectors[row]))
    gaussian = torch.distributions.Normal(0.0, 1.0).log_prob(torch.stack(latents)).sum(1)
    wanted = -(gaussian + torch.stack(jacobian)) / 5
    scorer.flow.float()
    torch.testing.assert_close(scorer.score(maps[0])[:4].double(), wanted, atol=1e-3, rtol=1e-3)
