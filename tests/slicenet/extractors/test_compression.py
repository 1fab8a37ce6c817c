from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from slicenet.errors import ConfigError
from slicenet.extractors.compression import (
    SHORT,
    Compression,
    CompressionSettings,
    loss,
    moments,
)
from slicenet.flows.mixtures import Sums

SETTINGS = CompressionSettings(
    hidden=(8, 5), code=2, residuals=("relative", "euclidean", "cosine"), components=3, ridge=1e-3
)
C, N = 7, 60


def network(settings=SETTINGS, seed=0):
    torch.manual_seed(seed)
    return Compression(C, settings)


def vectors(seed=1, count=N):
    return torch.randn(count, C, generator=torch.Generator().manual_seed(seed)) * 3 + 5


def seen(settings=SETTINGS):
    """A network with what it makes of some vectors."""
    net, x = network(settings), vectors()
    net.meet(x)
    standard = net.standard(x)
    rebuilt, latents = net(standard)
    return net, standard, rebuilt, latents, net.memberships(latents)


def mixture_of(latents, members, ridge):
    """Weights, means and covariances, one by one, by NumPy."""
    z, g = latents.double().detach().numpy(), members.double().detach().numpy()
    means = [np.average(z, axis=0, weights=one) for one in g.T]
    eye = ridge * np.eye(z.shape[1])
    return g.mean(0), means, [np.cov(z.T, aweights=one, ddof=0) + eye for one in g.T]


def energy_of(latents, weights, means, covariances):
    z = latents.double().detach().numpy()
    each = [np.log(w) + multivariate_normal(m, c).logpdf(z)
            for w, m, c in zip(weights, means, covariances, strict=True)]  # fmt: skip
    return -logsumexp(each, axis=0)


def test_residuals_are_the_distances_and_the_cosine_of_numpy():
    _, standard, rebuilt, latents, _ = seen()
    x, y = (part.detach().double().numpy() for part in (standard, rebuilt))
    length, twin = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    shortest = SHORT * C**0.5
    usual = (length > shortest) & (twin > shortest)
    assert usual.sum() > N / 2
    apart = np.linalg.norm(x - y, axis=1)
    wanted = np.stack((apart / length, apart / C**0.5, (x * y).sum(1) / length / twin), 1)
    assert np.allclose(latents[:, 2:].detach().numpy()[usual], wanted[usual], atol=1e-5)


def test_a_vector_without_direction_is_not_far_from_its_copy():
    net = network()
    _, latents = net(torch.full((1, C), 1e-9))
    assert torch.isfinite(latents).all()
    length = float(net.decoder(net.encoder(torch.zeros(1, C))).detach().norm())
    assert latents[0, 2].item() == pytest.approx(length / (SHORT * C**0.5), rel=1e-4)


def test_the_frozen_energy_is_minus_the_logsumexp_of_scipys_gaussians():
    net, _, _, latents, members = seen()
    net.freeze(Sums.of(latents, members))
    wanted = energy_of(latents, *mixture_of(latents, members, SETTINGS.ridge))
    assert np.allclose(net.energy(latents).detach().numpy(), wanted, rtol=1e-8)


def test_the_frozen_mixture_is_kept_to_the_bit():
    net, _, _, latents, members = seen()
    sums = Sums.of(latents, members)
    net.freeze(sums)
    kept, wanted = net.mixture(), sums.mixture(SETTINGS.ridge)
    for name in ("weights", "means", "factors"):
        assert torch.equal(getattr(kept, name), getattr(wanted, name))


class NoDoubles(TorchDispatchMode):
    """A device of Apple's, as far as it refuses doubles; there are no numbers."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        found = function(*arguments, **(named or {}))
        for one in found if isinstance(found, tuple | list) else [found]:
            if isinstance(one, torch.Tensor) and one.device.type == "mps":
                assert one.dtype != torch.float64, function
        return found


def test_where_there_are_no_doubles_the_mixture_is_computed_on_the_cpu():
    with FakeTensorMode(allow_non_fake_inputs=True), NoDoubles(), torch.device("mps"):
        standard, members = torch.ones(N, C), torch.ones(N, SETTINGS.components)
        latents = torch.ones(N, SETTINGS.latents)
        found = loss(standard, standard, latents, members, (0.1, 0.005), SETTINGS.ridge)
        assert (found.device.type, found.dtype) == ("cpu", torch.float64)
        assert moments(latents, members).second.device.type == "cpu"
        with torch.device("cpu"):
            net = Compression(C, SETTINGS)
        net.frozen = torch.zeros(net.frozen.shape, dtype=torch.int64)
        assert net.energy(latents).device.type == "cpu"


def test_the_scale_of_many_channels_is_that_of_numpy():
    wide = torch.randn(50, 37, generator=torch.Generator().manual_seed(3)) * 4 - 2
    net = Compression(37, SETTINGS)
    net.meet(wide)
    assert np.allclose(net.mean, wide.double().numpy().mean(0), rtol=1e-6)
    assert np.allclose(net.spread, wide.double().numpy().std(0), rtol=1e-6)


def test_what_else_is_in_a_batch_changes_no_energy():
    net, _, _, latents, members = seen()
    net.freeze(Sums.of(latents, members))
    whole = net.energy(latents)
    strange = torch.cat((latents[:5], torch.full((40, latents.shape[1]), 30.0)))
    assert torch.allclose(net.energy(strange)[:5], whole[:5], rtol=1e-9)
    alone = torch.cat([net.energy(one[None]) for one in latents])
    assert torch.allclose(alone, whole, rtol=1e-9)


def test_the_loss_is_error_energy_and_penalty():
    _, standard, rebuilt, latents, members = seen()
    weights, means, covariances = mixture_of(latents, members, SETTINGS.ridge)
    error = np.square((standard - rebuilt).detach().numpy()).sum(1).mean()
    energy = energy_of(latents, weights, means, covariances).mean()
    penalty = sum((1 / np.diag(one)).sum() for one in covariances)
    found = loss(standard, rebuilt, latents, members, (0.1, 0.005), SETTINGS.ridge)
    assert found.item() == pytest.approx(error + 0.1 * energy + 0.005 * penalty, rel=1e-5)


def test_the_gradient_goes_through_the_log_determinant():
    z = torch.randn(50, 2, dtype=torch.float64).requires_grad_(True)
    sure = torch.ones(50, 1, dtype=torch.float64)
    nothing = z.detach()
    (slope,) = torch.autograd.grad(loss(nothing, nothing, z, sure, (1.0, 0.0), 1e-9), z)
    # Of one Gaussian with the moments of what it is fitted to, the mean energy is its entropy:
    # half the log determinant and a constant, so that the squares alone have no slope at all.
    (wanted,) = torch.autograd.grad(0.5 * torch.logdet(torch.cov(z.T, correction=0)), z)
    assert torch.allclose(slope, wanted, atol=1e-7)
    assert slope.abs().max() > 1e-3


def test_drop_out_leaves_out_what_its_mask_says():
    net, _, _, latents, members = seen()
    everything = torch.ones(N, SETTINGS.estimate)
    sure = replace(SETTINGS, drop=0.0)
    twin = network(sure)
    assert torch.allclose(twin.memberships(latents, everything), twin.memberships(latents))
    nothing = net.memberships(latents, everything * 0)
    assert torch.allclose(nothing, net.estimator[2].bias.softmax(0).expand(N, -1))
    assert torch.allclose(members.sum(1), torch.ones(N))


def test_a_channel_that_never_changes_does_not_decide():
    net, x = network(), vectors()
    x[:, 3] = 1.0
    net.meet(x)
    off = x.clone()
    off[:, 3] = 1.01
    assert (net.standard(off) - net.standard(x)).abs().max() < 1


@pytest.mark.parametrize(
    "wrong",
    [{"code": 0}, {"hidden": (0,)}, {"drop": 1.0}, {"ridge": 0.0}, {"residuals": ("x",)},
     {"components": 0}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        CompressionSettings(**wrong)
