import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.flows.conditional import FlowSettings
from slicenet.flows.push_pull import PushPullSettings
from slicenet.scorers.flow import FlowScorer, FlowScorerSettings
from slicenet.scorers.flow_training import CourseSettings
from slicenet.watch import silent

LATTICE = (4, 4, 4)
INSIDE = torch.arange(64).view(LATTICE) > 7
LEVEL = torch.linspace(-2, 2, 64)[INSIDE.flatten()]
SPREAD = 0.25
BRIEF = FlowScorerSettings(
    flow=FlowSettings(blocks=2), course=CourseSettings(steps=10, batch=256, look=5)
)


def brain(seed, shift=0.0):
    """Three channels, each Gaussian around a level that depends on the place."""
    noise = torch.randn(len(LEVEL), 3, generator=torch.Generator().manual_seed(seed))
    return FeatureMap(LEVEL[:, None] + SPREAD * noise + shift, INSIDE)


@pytest.fixture(scope="module")
def scorer():
    torch.manual_seed(0)
    course = CourseSettings(steps=700, batch=512, rate=3e-3, held=0.0)
    settings = FlowScorerSettings(
        flow=FlowSettings(blocks=3), loss=PushPullSettings(loss="none", likelihood="nll"),
        course=course,
    )  # fmt: skip
    made = FlowScorer(settings)
    made.fit([brain(seed) for seed in range(60)], silent)
    return made


def test_the_density_comes_near_the_one_that_the_vectors_were_drawn_from(scorer):
    features = [brain(seed) for seed in range(100, 110)]
    found = torch.cat([-scorer.score(one) for one in features]).mean().item()
    vectors = torch.cat([one.vectors for one in features]).numpy()
    exact = stats.norm(np.tile(LEVEL, 10)[:, None], SPREAD).logpdf(vectors).mean()
    exact += float(scorer.spread.log().mean())  # it speaks of standardised vectors
    blind = stats.norm(0, 1).logpdf((vectors - vectors.mean()) / vectors.std()).mean()
    # Most of what the place tells is found, and nobody beats the truth but by chance.
    assert exact - 0.25 * (exact - blind) < found <= exact + 0.02


def test_what_is_usual_elsewhere_is_strange_here(scorer):
    turned = FeatureMap(brain(200).vectors.flip(0), INSIDE)
    usual = scorer.score(brain(200))
    far = LEVEL.abs() > 1
    assert scorer.score(turned)[far].min() > usual.mean() + 3 * usual.std()


def test_a_loaded_flow_scores_as_the_one_that_was_saved(scorer):
    torch.manual_seed(99)
    again = FlowScorer(scorer.settings)
    for name, tensor in scorer.state_dict().items():
        owner, _, leaf = name.rpartition(".")
        if not owner:
            again._buffers[leaf] = torch.empty_like(tensor)
    again.load_state_dict(scorer.state_dict())
    assert torch.equal(again.score(brain(5)), scorer.score(brain(5)))


def test_no_vector_has_no_score(scorer):
    empty = FeatureMap(torch.zeros(0, 3), torch.zeros(LATTICE, dtype=torch.bool))
    assert scorer.score(empty).shape == (0,)


def test_training_follows_from_the_seed_of_the_build():
    states = []
    for seed in (4, 4, 5):
        torch.manual_seed(seed)
        made = FlowScorer(BRIEF)
        torch.rand(3)
        made.fit([brain(s) for s in range(6)], silent)
        states.append(made.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    weight = next(name for name in states[0] if name.endswith("subnet.0.weight"))
    assert not torch.equal(states[0][weight], states[2][weight])


def test_a_global_code_tells_volumes_apart():
    torch.manual_seed(0)
    made = FlowScorer(replace(BRIEF, condition="global", whole=4))
    made.fit([brain(seed, shift=seed / 10) for seed in range(12)], silent)
    assert made.sizes.tolist() == [3, 128 + 4]
    assert torch.isfinite(made.score(brain(50, shift=3.0))).all()
    known, other = (
        made._code(brain(3, 0.3).vectors.double()),
        made._code(brain(3, 0.9).vectors.double()),
    )
    assert not torch.allclose(known, other, atol=0.3)


def test_standardising_is_by_the_healthy_of_all_places(scorer):
    together = torch.cat([brain(seed).vectors for seed in range(60)]).double().numpy()
    assert np.allclose(scorer.mean.numpy(), together.mean(0))
    assert np.allclose(scorer.spread.numpy(), together.std(0))
    plain = FlowScorer(FlowScorerSettings(standardise=False, flow=BRIEF.flow, course=BRIEF.course))
    plain.fit([brain(seed) for seed in range(6)], silent)
    assert (plain.mean == 0).all()
    assert (plain.spread == 1).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"condition": "place"}, "have volume"),
        ({"strange": "tumours"}, "have noise"),
        ({"strange": "lesions", "loss": PushPullSettings(loss="triplet")}, "strange=noise"),
        ({"whole": 0}, "whole"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        FlowScorerSettings(**settings)


def test_lesions_that_no_map_holds_and_a_single_channel_are_refused():
    with pytest.raises(ConfigError, match="no map holds"):
        FlowScorer(FlowScorerSettings(strange="lesions")).fit([brain(0), brain(1)], silent)
    single = FeatureMap(LEVEL[:, None], INSIDE)
    with pytest.raises(ConfigError, match="single channel"):
        FlowScorer(BRIEF).fit([single, single], silent)


def test_scores_are_nats_a_channel(scorer):
    typical = (
        0.5 * (1 + math.log(2 * math.pi)) + math.log(SPREAD) - float(scorer.spread.log().mean())
    )
    assert scorer.score(brain(300)).mean().item() == pytest.approx(typical, abs=0.25)
