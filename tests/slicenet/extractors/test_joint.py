from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.batches import Batches
from slicenet.extractors.joint import (
    JointSettings,
    Lessons,
    Tokens,
    joint,
    strangeness,
    surprising,
    whitened,
)
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, join
from slicenet.extractors.pictures import PictureSettings
from slicenet.flows.conditional import ConditionalFlow
from slicenet.flows.position import PLANE, position_code
from slicenet.watch import silent

WIDTH = NeighbourhoodSettings(width=96)
SETTINGS = JointSettings(steps=40, alone=20, batch=4, tokens=256, rate=1e-3, blocks=2)


def trained(make_pool, make_backbone, settings, seed=0, watch=silent):
    backbone = make_backbone()
    joint(backbone, [make_pool()], PictureSettings(), WIDTH, settings, seed, watch)
    return backbone


def features(backbone, pool):
    """Every token of a pool, [N, C]."""
    pictures = pool.pictures(PictureSettings())
    return join(backbone.look(pictures), WIDTH).movedim(1, -1).flatten(0, 2)


def spread(backbone, pool):
    """Variance of every channel, [C]."""
    return features(backbone, pool).var(0)


def directions(backbone, pool):
    """How many directions share the variance of whitened tokens: the participation ratio."""
    tokens = features(backbone, pool)
    white = (tokens - tokens.mean(0)) / (tokens.std(0) + 1e-3)
    shares = np.linalg.eigvalsh(np.cov(white.numpy().T.astype(np.float64)))
    return shares.sum() ** 2 / np.square(shares).sum()


def test_features_keep_their_variance_and_without_the_ties_they_lose_it(make_pool, make_backbone):
    pool = make_pool()
    before = spread(make_backbone(), pool)
    tied = trained(make_pool, make_backbone, SETTINGS)
    free = trained(make_pool, make_backbone, replace(SETTINGS, whiten=False, tie=0.0))
    kept, lost = spread(tied, pool), spread(free, pool)
    assert kept.sum() > 0.9 * before.sum()
    assert lost.sum() < 0.6 * before.sum()
    # Not by a few channels alone: of nearly all of them.
    assert (kept > 0.5 * before).float().mean() > 0.9
    assert (lost > 0.5 * before).float().mean() < 0.7


def test_the_tie_keeps_directions_apart(make_pool, make_backbone):
    pool = make_pool()
    before = directions(make_backbone(), pool)
    longer = replace(SETTINGS, steps=60, blocks=4)
    tied = trained(make_pool, make_backbone, longer)
    free = trained(make_pool, make_backbone, replace(longer, tie=0.0))
    assert directions(tied, pool) > 0.7 * before
    assert directions(free, pool) < 0.7 * before


def test_the_flow_expects_more_and_more_of_what_it_sees(make_pool, make_backbone, told):
    trained(make_pool, make_backbone, SETTINGS, watch=told)
    alone, along = told.told[:20], told.told[20:]
    assert len(along) == 40
    assert along[-1]["surprise"] < along[0]["surprise"] < alone[0]["loss"]
    assert along[-1]["loss"] == pytest.approx(along[-1]["surprise"] + 4 * along[-1]["apart"])
    assert along[0]["apart"] == pytest.approx(0, abs=1e-5)


def test_shrinking_pays_nothing_only_if_the_moments_are_part_of_the_gradient():
    generator = torch.Generator().manual_seed(0)
    first, flow = torch.randn(200, 8, generator=generator), ConditionalFlow(8, 4)
    slopes = []
    for whiten in (True, False):
        scale = torch.ones((), requires_grad=True)
        tokens = Tokens(first * scale, first, torch.zeros(200, 4))
        slopes.append(float(torch.autograd.grad(surprising(flow, tokens, whiten), scale)[0]))
    assert slopes[0] == pytest.approx(0, abs=1e-5)
    assert slopes[1] > 0.1


def test_the_tie_is_the_cosine_of_whitened_tokens():
    generator = torch.Generator().manual_seed(0)
    own, first = (torch.randn(50, 6, generator=generator) for _ in range(2))
    white = [(one - one.mean(0)) / one.std(0, ddof=0) for one in (own.numpy(), first.numpy())]
    lengths = [np.linalg.norm(one, axis=1) for one in white]
    wanted = np.mean(1 - (white[0] * white[1]).sum(1) / lengths[0] / lengths[1])
    places = torch.zeros(50, 0)
    assert strangeness(Tokens(own, first, places)).item() == pytest.approx(wanted, rel=1e-4)
    assert strangeness(Tokens(3 * first + 1, first, places)).item() == pytest.approx(0, abs=1e-5)


def test_a_silent_channel_stays_silent_when_whitened():
    tokens = torch.cat((torch.zeros(9, 1), torch.randn(9, 1)), 1).requires_grad_()
    white = whitened(tokens, tokens)
    white.square().sum().backward()
    assert (white[:, 0] == 0).all()
    assert torch.isfinite(tokens.grad).all()


def test_a_token_has_the_code_of_its_place_in_the_whole_picture(make_pool, make_backbone):
    pool, backbone = make_pool(size=(128, 96)), make_backbone()
    pool.brain[:, :, :40] = False  # what is shown is on one side, so that windows begin there
    batches = Batches([pool], PictureSettings(), 1, 0, 16, 0)
    tokens = Lessons(backbone, batches, WIDTH, 10_000).at(3)
    code = position_code((16, 12), PLANE).flatten(0, 1)
    cells = torch.cdist(tokens.places[:, :128].double(), code.double()).min(1)
    assert cells.values.max() < 1e-4
    shown = torch.zeros(16 * 12, dtype=torch.bool)
    shown[cells.indices] = True
    cover = torch.nn.functional.avg_pool2d(pool.brain[:1].float(), 8)[0]
    assert torch.equal(shown.view(16, 12), cover >= 0.5)
    # The features are those of these places, up to what a window's rim makes of them.
    assert torch.allclose(tokens.own, tokens.first, atol=1e-5)
    window = batches.at(3)
    whole = join(backbone.look(window.pictures), WIDTH)[0]
    top, left = window.crop.rows.start // 8, window.crop.columns.start // 8
    assert left > 0
    row, column = cells.indices // 12 - top, cells.indices % 12 - left
    assert torch.allclose(tokens.own, whole[:, row, column].T, atol=1e-5)


def test_planes_are_told_apart_and_tokens_are_few_where_asked(make_pool, make_backbone):
    batches = Batches([make_pool(), make_pool(seed=1)], PictureSettings(), 2, 0, 16, 0)
    lessons = Lessons(make_backbone(), batches, WIDTH, 7)
    assert lessons.at(0).places[:, 128:].tolist() == [[1, 0]] * 7
    assert lessons.at(1).places[:, 128:].tolist() == [[0, 1]] * 7


def test_norms_keep_their_moments_and_weights_do_not(make_pool, make_backbone):
    before = make_backbone().state_dict()
    after = trained(make_pool, make_backbone, replace(SETTINGS, steps=2, alone=0)).state_dict()
    moments = [name for name in before if "running" in name]
    assert all(torch.equal(before[name], after[name]) for name in moments)
    name = "network.layer2.0.conv1.weight"
    assert not torch.equal(before[name], after[name])


def test_while_the_flow_is_alone_the_backbone_rests(make_pool, make_backbone, told):
    with pytest.raises(ConfigError, match="diverged at step 1 of 1"):
        trained(
            make_pool, make_backbone,
            replace(SETTINGS, alone=4, steps=1, tie=float("inf")), watch=told,
        )  # fmt: skip
    assert len(told.told) == 4


def test_what_is_learnt_follows_from_the_seed_alone(make_pool, make_backbone):
    few = replace(SETTINGS, steps=2, alone=1)
    found = []
    for seed in (1, 1, 2):
        torch.rand(len(found))
        state = trained(make_pool, make_backbone, few, seed).state_dict()
        found.append(state["network.layer3.0.conv1.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    "wrong", [{"tokens": 1}, {"blocks": 0}, {"alone": -1}, {"tie": -1.0}, {"head_rate": 0.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        JointSettings(**wrong)
