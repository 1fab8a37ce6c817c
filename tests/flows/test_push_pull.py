import math

import numpy as np
import pytest
import torch

from slicenet.flows.boundary import Boundary
from slicenet.flows.push_pull import LOSSES, PushPullSettings, push_pull, semi_push_pull

DRAW = np.random.default_rng(0)
HEALTHY = DRAW.normal(-1, 1, 200)
STRANGE = DRAW.normal(-2, 1, 200)
LEVEL = -2.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def loss(healthy, strange, level=LEVEL, seed=0, **settings):
    boundary = Boundary(level=torch.tensor(level, dtype=torch.float64))
    one, two = (torch.as_tensor(x, dtype=torch.float64) for x in (healthy, strange))
    return push_pull(one, two, boundary, PushPullSettings(**settings), seeded(seed))


def gradients(healthy, strange, **settings):
    one, two = (torch.as_tensor(x, dtype=torch.float64).clone() for x in (healthy, strange))
    one.requires_grad_(), two.requires_grad_()
    loss(one, two, **settings).backward()
    return tuple(torch.zeros(len(x)) if x.grad is None else x.grad for x in (one, two))


def softplus(healthy):
    return np.log1p(np.exp(-healthy)).mean()


def test_none_is_the_likelihood_alone():
    assert loss(HEALTHY, STRANGE, loss="none").item() == pytest.approx(softplus(HEALTHY))
    plain = loss(HEALTHY, STRANGE, loss="none", likelihood="nll")
    assert plain.item() == pytest.approx(-HEALTHY.mean())


def test_robust_semi_push_pull_is_its_formula():
    pull = np.maximum(LEVEL - HEALTHY, 0).mean()
    push = np.maximum(STRANGE - (LEVEL - 0.7), 0).mean()
    expected = softplus(HEALTHY) + (pull + push) / 10
    assert loss(HEALTHY, STRANGE, margin=0.7).item() == pytest.approx(expected)


@pytest.mark.parametrize("focal", ["bgad", "clamped", "none"])
def test_published_semi_push_pull_is_its_formula(focal):
    healthy, strange, level = 3 * HEALTHY, 3 * STRANGE, np.sort(3 * HEALTHY)[9]
    likelihood, pulls, pushes = [], [], []
    for one in healthy:
        u = one / 10
        weight = 1 if u > -0.2 or focal == "none" else 11.7 * (1 - np.exp(u)) ** 0.5 * abs(u)
        likelihood.append(weight * np.log1p(np.exp(-one)))
        if one <= level:
            pulls.append(weight * (level / 10 - u))
    for one in strange:
        u, floor = one / 10, level / 10 - 0.1
        weight = 1 if u <= -1 or focal == "none" else 0.53 * (1 + np.exp(u)) ** 2 / abs(u)
        weight = min(weight, 10) if focal == "clamped" else weight
        if u >= floor:
            pushes.append(weight * (u - floor))
    assert len(pulls) == 10
    expected = np.mean(likelihood) + np.mean(pulls) + np.mean(pushes)
    found = loss(healthy, strange, level=level, loss="spp_bgad", focal=focal).item()
    assert found == pytest.approx(expected)


def test_the_published_push_explodes_where_the_robust_one_has_a_bound():
    near = np.array([0.001])
    hard, clamped, robust = (
        float(gradients(HEALTHY, near, loss=name, focal=focal)[1])
        for name, focal in (("spp_bgad", "bgad"), ("spp_bgad", "clamped"), ("spp", "bgad"))
    )
    assert hard > 1000
    assert clamped == pytest.approx(1)
    assert robust == pytest.approx(0.1)


def test_full_push_pull_is_simplenets_loss_about_the_boundary():
    pull = np.maximum(0.5 - HEALTHY, 0).mean()
    push = np.maximum(0.5 + STRANGE, 0).mean()
    found = loss(HEALTHY, STRANGE, level=0.0, loss="hinge").item()
    assert found == pytest.approx(softplus(HEALTHY) + pull + push)


def test_the_triplet_is_its_formula_token_by_token():
    order = torch.randperm(200, generator=seeded(5)).numpy()
    gaps = np.abs(HEALTHY - HEALTHY[order]) - (HEALTHY - STRANGE) + 0.4
    expected = softplus(HEALTHY) + np.maximum(gaps, 0).mean()
    found = loss(HEALTHY, STRANGE, seed=5, loss="triplet", margin=0.4).item()
    assert found == pytest.approx(expected)


def test_only_the_unlikely_healthy_are_pulled_and_only_the_likely_strange_pushed():
    plain = gradients(HEALTHY, STRANGE, loss="none")[0]
    healthy, strange = gradients(HEALTHY, STRANGE)
    pulled = torch.from_numpy(HEALTHY < LEVEL)
    pushed = torch.from_numpy(STRANGE > LEVEL - 1)
    assert torch.equal(healthy - plain != 0, pulled)
    assert torch.equal(strange != 0, pushed)
    assert (healthy < 0).all()
    assert (strange >= 0).all()


def test_far_strange_vectors_are_left_alone_however_far_they_are():
    far = np.array([LEVEL - 1.001, -10.0, -1e6])
    assert not gradients(HEALTHY, far)[1].any()
    assert loss(HEALTHY, far).item() == loss(HEALTHY, far - 5).item()


def test_no_strange_vector_pushes_harder_than_its_share_of_a_tenth():
    strange = np.linspace(-100, 100, 50)  # with log densities of 0 among them
    strange[25] = 0
    pushes = gradients(HEALTHY, strange)[1]
    assert float(pushes.max()) == pytest.approx(1 / 10 / 50)


def test_the_term_fades_as_fewer_violate():
    violating = [np.where(np.arange(200) < count, 0.0, -9.0) for count in range(0, 201, 20)]
    terms = [loss(HEALTHY, strange).item() for strange in violating]
    np.testing.assert_allclose(np.diff(terms), 20 / 200 * (0 - (LEVEL - 1)) / 10)


def test_the_published_term_does_not_fade():
    one, all_ = (np.where(np.arange(200) < count, -1.0, -99.0) for count in (1, 200))
    settings = {"loss": "spp_bgad", "focal": "none"}
    found = [loss(HEALTHY, x, **settings).item() for x in (one, all_)]
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("healthy", "strange"), [(5, 0), (0, 0), (5, 5)])
def test_nothing_is_nan_whatever_is_missing_or_violates_nothing(name, healthy, strange):
    one, two = np.full(healthy, 3.0), np.full(strange, -30.0)
    assert math.isfinite(loss(one, two, loss=name).item())
    for found in gradients(one, two, loss=name):
        assert found.isfinite().all()


@pytest.mark.parametrize("name", ["spp", "spp_bgad", "hinge"])
def test_without_healthy_vectors_the_strange_ones_give_a_number(name):
    assert math.isfinite(loss([], [0.5, -0.5], loss=name).item())


@pytest.mark.parametrize("name", LOSSES)
def test_before_a_boundary_is_seen_or_without_strange_vectors_the_likelihood_remains(name):
    healthy, settings = torch.from_numpy(HEALTHY), PushPullSettings(loss=name)
    alone = push_pull(healthy, healthy[:0], Boundary(), settings, seeded())
    assert alone.item() == pytest.approx(softplus(HEALTHY))


def test_identical_strange_vectors_cost_the_triplet_its_margin():
    flat = np.full(64, -1.0)
    assert loss(flat, flat, loss="triplet").item() == pytest.approx(softplus(flat) + 1)


def test_the_triplet_is_signed_and_the_published_one_is_not():
    flat = np.full(4096, -1.0)
    for gap, cost in ((1.0, 0), (-1.0, 2)):  # strange ones less likely, and more
        found = loss(flat, flat - gap, loss="triplet").item()
        assert found == pytest.approx(softplus(flat) + cost)
        found = loss(flat, flat - gap, loss="triplet_plos").item()
        assert found == pytest.approx(softplus(flat))


def test_the_published_triplet_takes_the_batch_for_one_vector():
    order = torch.randperm(200, generator=seeded(5)).numpy()
    norms = [np.sqrt(np.square(HEALTHY - x + 1e-6).sum()) for x in (HEALTHY[order], STRANGE)]
    expected = softplus(HEALTHY) + max(0, norms[0] - norms[1] + 6)
    assert expected > softplus(HEALTHY)
    found = loss(HEALTHY, STRANGE, seed=5, loss="triplet_plos", margin=6.0).item()
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("count", [64, 4096])
def test_the_published_margin_of_one_vector_is_one_over_the_root_of_their_number(count):
    flat, margin = np.full(count, -1.0), 1 / math.sqrt(count)
    short, enough = (
        loss(flat, flat - share * margin, loss="triplet_plos").item() - softplus(flat)
        for share in (0.9, 1.001)
    )
    assert short == pytest.approx(0.1, abs=1e-3)
    assert enough == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["triplet", "triplet_plos"])
def test_triplets_want_one_strange_vector_for_each_healthy_one(name):
    with pytest.raises(AssertionError, match="one strange vector for each"):
        loss(HEALTHY, STRANGE[:1], loss=name)


def test_the_boundary_carries_no_gradient_even_if_it_is_one_of_the_healthy():
    healthy = torch.linspace(-3, 0, 51, dtype=torch.float64, requires_grad=True)
    boundary = Boundary().after(healthy, seeded())
    assert boundary.level is not None
    strange = torch.zeros(5, dtype=torch.float64)
    semi_push_pull(healthy, strange, boundary.level, PushPullSettings()).backward()
    assert (healthy.grad <= 0).all()
    assert healthy.grad[1] == 0
    assert not healthy.grad[2:].any()


@pytest.mark.parametrize(
    "wrong", [{"loss": "mse"}, {"likelihood": "bce"}, {"focal": "on"}, {"normaliser": 0.0}]
)
def test_settings_of_no_loss_are_refused(wrong):
    with pytest.raises(ValueError, match=r": have|must be positive"):
        PushPullSettings(**wrong)
