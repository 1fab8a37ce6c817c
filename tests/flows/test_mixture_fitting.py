import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import digamma
from scipy.stats import multivariate_t
from sklearn.mixture import GaussianMixture

from slicenet.flows.mixture_fitting import FittingSettings, begin, fit_mixture, improve

CENTRES = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 1.0], [0.0, -7.0, 3.0]])


def clouds(seed=0, each=200):
    draws = np.random.default_rng(seed)
    parts = [draws.normal(size=(each, 3)) * (1 + k) + centre for k, centre in enumerate(CENTRES)]
    return torch.from_numpy(np.concatenate(parts))


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def rounds(vectors, settings, count, components=3):
    mixture, reached = begin(vectors, components, settings, draw()), []
    for _ in range(count):
        mixture, value = improve(mixture, vectors, settings)
        reached.append(value)
    return mixture, reached


@pytest.mark.parametrize(("ours", "theirs"), [("full", "full"), ("diagonal", "diag")])
def test_gaussians_are_those_of_scikit_learn_from_the_same_start(ours, theirs):
    vectors = clouds()
    settings = FittingSettings(covariance=ours, ridge=1e-3)
    first = begin(vectors, 3, settings, draw())
    factors = first.factors.numpy()
    precisions = factors**-2.0 if ours == "diagonal" else np.linalg.inv(
        factors @ factors.transpose(0, 2, 1)
    )  # fmt: skip
    peer = GaussianMixture(
        3, covariance_type=theirs, reg_covar=1e-3, max_iter=300, tol=1e-10,
        weights_init=first.weights.numpy(), means_init=first.means.numpy(),
        precisions_init=precisions,
    ).fit(vectors.numpy())  # fmt: skip
    found, _ = rounds(vectors, settings, peer.n_iter_)
    new = clouds(seed=1)
    assert np.allclose(found.means.numpy(), peer.means_, atol=1e-8)
    assert np.allclose(found.log_density(new).numpy(), peer.score_samples(new.numpy()), rtol=1e-8)


@pytest.mark.parametrize("kind", ["gaussian", "student"])
@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_no_round_makes_what_is_seen_less_likely(kind, covariance):
    settings = FittingSettings(kind, covariance, ridge=1e-9)
    _, reached = rounds(clouds(), settings, 40)
    assert np.diff(reached).min() > -1e-6
    assert reached[-1] > reached[0]


def test_students_t_are_found_again_with_their_tails():
    scale = np.array([[2.0, 0.5], [0.5, 1.0]])
    drawn = multivariate_t([3.0, -1.0], scale, df=4, seed=3).rvs(8000)
    found = fit_mixture(
        torch.from_numpy(drawn), 1, FittingSettings("student", ridge=1e-9, tolerance=1e-6), draw()
    )
    assert found.freedom.item() == pytest.approx(4, rel=0.15)
    assert np.allclose(found.means[0].numpy(), [3, -1], atol=0.1)
    assert np.allclose((found.factors[0] @ found.factors[0].T).numpy(), scale, atol=0.15)


def test_the_degrees_of_freedom_solve_the_equation_of_the_round():
    vectors, settings = clouds(), FittingSettings("student")
    before = begin(vectors, 3, settings, draw())
    after, _ = improve(before, vectors, settings)
    parts, squares = before.parts(vectors).numpy(), before.squares(vectors).numpy()
    members = np.exp(parts - np.logaddexp.reduce(parts, axis=1, keepdims=True))
    for k in range(3):
        whole = 10.0 + 3
        trust = whole / (10.0 + squares[:, k])
        rest = np.average(np.log(trust) - trust, weights=members[:, k])
        rest += digamma(whole / 2) - np.log(whole / 2)
        if after.freedom[k] > 199:  # as heavy as a Gaussian
            assert -digamma(100) + np.log(100) + 1 + rest > 0
            continue
        root = brentq(lambda v, r=rest: -digamma(v / 2) + np.log(v / 2) + 1 + r, 0.5, 1e4)
        assert after.freedom[k].item() == pytest.approx(root, rel=1e-6)


def test_outliers_move_a_gaussian_and_hardly_students_t():
    vectors = torch.cat((clouds()[:200], torch.full((10, 3), 60.0, dtype=torch.float64)))
    plain, heavy = (
        fit_mixture(vectors, 1, FittingSettings(kind), draw()) for kind in ("gaussian", "student")
    )
    assert plain.means.abs().max() > 2
    assert heavy.means.abs().max() < 0.3


def test_given_degrees_of_freedom_are_kept():
    found = fit_mixture(clouds(), 2, FittingSettings("student", freedom=3.0), draw())
    assert found.freedom.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("kind", ["gaussian", "student"])
def test_twins_and_more_components_than_places_stay_finite(kind):
    vectors = torch.ones(20, 3, dtype=torch.float64)
    found = fit_mixture(vectors, 4, FittingSettings(kind), draw())
    assert torch.isfinite(found.log_density(clouds())).all()


def test_the_fit_follows_from_its_draw():
    found = [fit_mixture(clouds(), 6, FittingSettings(), draw(seed)).means for seed in (1, 1, 2)]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "x"}, {"covariance": "x"}, {"ridge": 0.0}, {"rounds": 0}, {"tolerance": 0.0},
     {"freedom": -1.0}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"ridge|have"):
        FittingSettings(**wrong)
