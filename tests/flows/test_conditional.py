import math

import numpy as np
import pytest
import torch

from slicenet.flows.conditional import ConditionalFlow

# FrEIA keeps its rotations in single precision, so they are orthogonal to 1e-7 only.
SINGLE = {"atol": 1e-5, "rtol": 1e-5}


def flow_of(channels: int, condition: int = 3, seed: int = 0) -> ConditionalFlow:
    flow = ConditionalFlow(channels, condition, blocks=4, clamp=1.9, seed=seed).double()
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():  # away from its start, where scales and offsets are alike
        for parameter in flow.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
                parameter.add_(0.3 * noise)
    return flow


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("channels", [2, 5, 8])
def test_the_log_determinant_is_that_of_autograds_jacobian(channels):
    flow, vectors, condition = flow_of(channels), drawn(6, channels), drawn(6, 3)
    log_det = flow.chain(vectors, [condition])[1]
    for vector, place, expected in zip(vectors, condition, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda x, place=place: flow.chain(x[None], [place[None]])[0][0], vector
        )
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, expected, **SINGLE)


def test_the_density_is_a_gaussian_in_the_latent_times_the_determinant():
    flow, vectors, condition = flow_of(4), drawn(9, 4), drawn(9, 3)
    latent, log_det = flow.chain(vectors, [condition])
    unit = torch.distributions.Normal(torch.zeros(4).double(), 1.0)
    expected = (unit.log_prob(latent).sum(1) + log_det) / 4
    torch.testing.assert_close(flow.log_density(vectors, condition), expected)


def test_the_density_integrates_to_one_over_the_plane():
    flow = flow_of(2)
    axis = torch.linspace(-30, 30, 801, dtype=torch.float64)
    plane = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        density = (2 * flow.log_density(plane, drawn(1, 3).expand(len(plane), -1))).exp()
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=1e-3)


def test_the_inverse_brings_every_vector_back():
    flow, vectors, condition = flow_of(7), drawn(50, 7), drawn(50, 3)
    latent, log_det = flow.chain(vectors, [condition])
    back, log_det_back = flow.chain(latent, [condition], rev=True)
    torch.testing.assert_close(back, vectors, **SINGLE)
    torch.testing.assert_close(log_det_back, -log_det, **SINGLE)


def test_one_vector_is_as_likely_alone_as_in_a_batch():
    flow, vectors, condition = flow_of(6), drawn(20, 6), drawn(20, 3)
    alone = [flow.log_density(vectors[i, None], condition[i, None]) for i in range(20)]
    torch.testing.assert_close(torch.cat(alone), flow.log_density(vectors, condition))


def test_the_condition_changes_the_density():
    flow, vector = flow_of(6), drawn(1, 6)
    here, there = (flow.log_density(vector, place) for place in drawn(2, 1, 3))
    assert abs(float(here.detach() - there.detach())) > 1e-3


def test_gradients_reach_every_weight_the_vectors_and_the_condition():
    flow = flow_of(6)
    vectors, condition = drawn(10, 6).requires_grad_(), drawn(10, 3).requires_grad_()
    flow.log_density(vectors, condition).sum().backward()
    learnt = {name: p for name, p in flow.named_parameters() if p.requires_grad}
    touched = {name: p.grad is not None and bool(p.grad.any()) for name, p in learnt.items()}
    assert all(touched.values()), touched
    assert vectors.grad.any()
    assert condition.grad.any()


def test_the_loss_stays_finite_far_from_the_data():
    flow = ConditionalFlow(channels=16, condition=8, blocks=8, clamp=1.9)
    condition = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    vectors = 1e4 * torch.randn(32, 16, generator=torch.Generator().manual_seed(1))
    loss = -flow.log_density(vectors, condition).mean()
    loss.backward()
    assert math.isfinite(loss.item())
    assert all(p.grad.isfinite().all() for p in flow.parameters() if p.requires_grad)


def test_training_raises_the_likelihood_of_what_it_sees():
    flow = ConditionalFlow(channels=4, condition=2, blocks=2, clamp=1.9)
    draw = torch.Generator().manual_seed(3)
    condition = torch.randn(256, 2, generator=draw)
    vectors = 3 + 0.1 * torch.randn(256, 4, generator=draw)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = -flow.log_density(vectors, condition).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 1


def test_the_same_seed_builds_the_same_flow_whatever_was_drawn_before():
    np.random.seed(11)
    torch.manual_seed(11)
    first = ConditionalFlow(channels=6, condition=3, blocks=3, clamp=1.9, seed=5)
    np.random.seed(22)
    torch.manual_seed(22)
    again = ConditionalFlow(channels=6, condition=3, blocks=3, clamp=1.9, seed=5)
    other = ConditionalFlow(channels=6, condition=3, blocks=3, clamp=1.9, seed=6)
    same, differing = first.state_dict(), other.state_dict()
    assert all(torch.equal(tensor, same[name]) for name, tensor in again.state_dict().items())
    for part in ("w_perm", "subnet.0.weight"):  # NumPy's draw and torch's
        name = f"chain.module_list.0.{part}"
        assert not torch.equal(same[name], differing[name])


def test_building_a_flow_leaves_the_global_generators_as_they_were():
    np.random.seed(7)
    torch.manual_seed(7)
    expected = np.random.rand(3).tolist(), torch.rand(3).tolist()
    np.random.seed(7)
    torch.manual_seed(7)
    ConditionalFlow(channels=6, condition=3, blocks=2, clamp=1.9, seed=5)
    assert (np.random.rand(3).tolist(), torch.rand(3).tolist()) == expected


def test_a_flow_that_cannot_be_built_leaves_the_global_generators_as_they_were():
    np.random.seed(7)
    expected = np.random.rand(3).tolist()
    np.random.seed(7)
    with pytest.raises(RuntimeError):
        ConditionalFlow(channels=6, condition=-30, blocks=2, clamp=1.9)
    assert np.random.rand(3).tolist() == expected


def test_a_flow_and_its_saved_weights_agree_exactly():
    flow, copy = flow_of(6, seed=0), flow_of(6, seed=9)
    copy.load_state_dict(flow.state_dict())
    vectors, condition = drawn(8, 6), drawn(8, 3)
    assert torch.equal(flow.log_density(vectors, condition), copy.log_density(vectors, condition))
