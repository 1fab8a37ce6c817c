import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, multivariate_t

from slicenet.flows.mixtures import Mixture, Sums

C, K, N = 3, 4, 50


def numbers(seed=0):
    return np.random.default_rng(seed)


def made(freedom=(), diagonal=False):
    """A mixture in general position, and the covariance of each component."""
    draws = numbers()
    weights = draws.dirichlet(np.ones(K))
    means = draws.normal(size=(K, C)) * 3
    roots = np.tril(draws.normal(size=(K, C, C))) + 2 * np.eye(C)
    covariances = roots @ roots.transpose(0, 2, 1)
    if diagonal:
        covariances = covariances * np.eye(C)
    factors = np.linalg.cholesky(covariances)
    given = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2)) if diagonal else factors
    parts = (torch.tensor(np.array(part)) for part in (weights, means, given, freedom))
    return Mixture(*parts), weights, means, covariances


def vectors(seed=1):
    return numbers(seed).normal(size=(N, C)) * 4


@pytest.mark.parametrize("diagonal", [False, True])
def test_gaussians_have_the_log_density_of_scipys_summed(diagonal):
    mixture, weights, means, covariances = made(diagonal=diagonal)
    x = vectors()
    each = [np.log(w) + multivariate_normal(m, c).logpdf(x)
            for w, m, c in zip(weights, means, covariances, strict=True)]  # fmt: skip
    found = mixture.log_density(torch.from_numpy(x)).numpy()
    assert np.allclose(found, logsumexp(each, 0), rtol=1e-12)


@pytest.mark.parametrize("diagonal", [False, True])
def test_students_t_have_the_log_density_of_scipys_summed(diagonal):
    freedom = np.array([1.0, 2.5, 7.0, 90.0])
    mixture, weights, means, covariances = made(freedom, diagonal)
    x = vectors()
    each = [
        np.log(w) + multivariate_t(m, c, df=d).logpdf(x)
        for w, m, c, d in zip(weights, means, covariances, freedom, strict=True)
    ]
    found = mixture.log_density(torch.from_numpy(x)).numpy()
    assert np.allclose(found, logsumexp(each, 0), rtol=1e-12)


def test_far_away_no_density_underflows():
    mixture = made()[0]
    far = mixture.log_density(torch.full((1, C), 1e4, dtype=torch.float64))
    assert torch.isfinite(far).all()
    assert far < -1e5


def test_a_component_without_weight_says_nothing():
    mixture = made()[0]
    kept = torch.tensor([True, True, False, True])
    silenced = Mixture(mixture.weights * kept, mixture.means, mixture.factors, mixture.freedom)
    rest = Mixture(
        mixture.weights[kept], mixture.means[kept], mixture.factors[kept], mixture.freedom
    )
    x = torch.from_numpy(vectors())
    assert torch.allclose(silenced.log_density(x), rest.log_density(x), rtol=1e-12)


def soft():
    return numbers(2).dirichlet(np.ones(K), size=N)


def test_sums_give_the_weighted_moments_of_numpy():
    x, members = vectors(), soft()
    mixture = Sums.of(torch.from_numpy(x), torch.from_numpy(members)).mixture(ridge=0.1)
    assert np.allclose(mixture.weights.numpy(), members.mean(0))
    for k in range(K):
        mean = np.average(x, axis=0, weights=members[:, k])
        covariance = np.cov(x.T, aweights=members[:, k], ddof=0) + 0.1 * np.eye(C)
        factor = mixture.factors[k].numpy()
        assert np.allclose(mixture.means[k].numpy(), mean)
        assert np.allclose(factor @ factor.T, covariance)


def test_the_sums_of_parts_add_up_to_those_of_the_whole():
    x, members = torch.from_numpy(vectors()), torch.from_numpy(soft())
    parts = Sums.of(x[:20], members[:20]) + Sums.of(x[20:], members[20:])
    whole = Sums.of(x, members).mixture(1e-6)
    assert torch.allclose(parts.mixture(1e-6).factors, whole.factors, rtol=1e-9)
    assert torch.allclose(parts.mixture(1e-6).weights, whole.weights)


def test_an_empty_component_stays_finite():
    members = torch.tensor([[1.0, 0.0]], dtype=torch.float64).repeat(N, 1)
    mixture = Sums.of(torch.from_numpy(vectors()), members).mixture(1e-3)
    assert torch.isfinite(mixture.log_density(torch.from_numpy(vectors(5)))).all()
