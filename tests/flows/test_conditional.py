import math

import numpy as np
import pytest
import torch

from slicenet.flows.conditional import ConditionalFlow, FlowSettings

# FrEIA keeps its rotations in single precision, so they are orthogonal to 1e-7 only.
SINGLE = {"atol": 1e-5, "rtol": 1e-5}


def flow_of(
    channels: int,
    condition: int = 3,
    seed: int = 0,
    blocks: int = 4,
    hidden: float = 1.0,
    coupling: str = "affine",
) -> ConditionalFlow:
    settings = FlowSettings(blocks=blocks, hidden=hidden, seed=seed, coupling=coupling, bins=5)
    flow = ConditionalFlow(channels, condition, settings).double()
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():  # away from its start, where scales and offsets are alike
        for parameter in flow.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
                # Splines bend far more for as much, until no digits are left to invert them.
                parameter.add_((0.3 if coupling == "affine" else 0.1) * noise)
    return flow


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("channels", [2, 5, 8])
@pytest.mark.parametrize("width", [0, 3])
@pytest.mark.parametrize("blocks", [1, 2, 8])
@pytest.mark.parametrize("coupling", ["affine", "spline"])
def test_the_log_determinant_is_that_of_autograds_jacobian(channels, width, blocks, coupling):
    flow = flow_of(channels, width, blocks=blocks, coupling=coupling)
    vectors, condition = drawn(3, channels), drawn(3, width)
    log_determinant = flow.latent(vectors, condition)[1]
    for vector, place, expected in zip(vectors, condition, log_determinant, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda x, place=place: flow.latent(x[None], place[None])[0][0], vector
        )
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, expected, **SINGLE)


def test_the_density_is_a_gaussian_in_the_latent_times_the_determinant():
    flow, vectors, condition = flow_of(4), drawn(9, 4), drawn(9, 3)
    latent, log_det = flow.latent(vectors, condition)
    unit = torch.distributions.Normal(torch.zeros(4).double(), 1.0)
    expected = (unit.log_prob(latent).sum(1) + log_det) / 4
    torch.testing.assert_close(flow.log_density(vectors, condition), expected)


@pytest.mark.parametrize("coupling", ["affine", "spline"])
def test_the_density_integrates_to_one_over_the_plane(coupling):
    flow = flow_of(2, coupling=coupling)
    axis = torch.linspace(-30, 30, 801, dtype=torch.float64)
    plane = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        density = (2 * flow.log_density(plane, drawn(1, 3).expand(len(plane), -1))).exp()
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("channels", [2, 7])
@pytest.mark.parametrize("width", [0, 3])
@pytest.mark.parametrize("blocks", [1, 8])
@pytest.mark.parametrize("coupling", ["affine", "spline"])
def test_the_inverse_brings_every_vector_back(channels, width, blocks, coupling):
    flow = flow_of(channels, width, blocks=blocks, coupling=coupling)
    vectors, condition = drawn(50, channels), drawn(50, width)
    back = flow.invert(flow.latent(vectors, condition)[0], condition)
    torch.testing.assert_close(back, vectors, **SINGLE)


def test_inverted_gaussians_lie_where_the_density_says():
    flow, place = flow_of(2), drawn(1, 3)
    samples = flow.invert(drawn(20_000, 2), place.expand(20_000, -1)).detach()
    axis = torch.linspace(-30, 30, 801, dtype=torch.float64)
    plane = torch.cartesian_prod(axis, axis)
    density = (2 * flow.log_density(plane, place.expand(len(plane), -1))).exp().detach()
    mean = (plane * density[:, None]).sum(0) / density.sum()
    error = samples.std(0) / math.sqrt(len(samples))
    assert ((samples.mean(0) - mean).abs() < 4 * error).all()


def test_without_a_condition_there_is_a_density_all_the_same():
    flow, vectors = flow_of(6, condition=0), drawn(9, 6)
    assert flow.log_density(vectors, torch.empty(9, 0)).shape == (9,)


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
    flow = ConditionalFlow(channels=16, condition=8)
    condition = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    vectors = 1e4 * torch.randn(32, 16, generator=torch.Generator().manual_seed(1))
    loss = -flow.log_density(vectors, condition).mean()
    loss.backward()
    assert math.isfinite(loss.item())
    assert all(p.grad.isfinite().all() for p in flow.parameters() if p.requires_grad)


def test_training_raises_the_likelihood_of_what_it_sees():
    flow = ConditionalFlow(4, 2, FlowSettings(blocks=2))
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
    first = ConditionalFlow(6, 3, FlowSettings(seed=5))
    np.random.seed(22)
    torch.manual_seed(22)
    again = ConditionalFlow(6, 3, FlowSettings(seed=5))
    other = ConditionalFlow(6, 3, FlowSettings(seed=6))
    vectors, condition = drawn(8, 6).float(), drawn(8, 3).float()
    assert torch.equal(first.latent(vectors, condition)[0], again.latent(vectors, condition)[0])
    one, two = first.chain[0], other.chain[0]
    assert not torch.equal(one.w_perm, two.w_perm)  # NumPy's draw
    assert not torch.equal(one.subnet[0].weight, two.subnet[0].weight)  # torch's


def test_building_a_flow_leaves_the_global_generators_as_they_were():
    np.random.seed(7)
    torch.manual_seed(7)
    expected = np.random.rand(3).tolist(), torch.rand(3).tolist()
    np.random.seed(7)
    torch.manual_seed(7)
    ConditionalFlow(6, 3, FlowSettings(seed=5))
    assert (np.random.rand(3).tolist(), torch.rand(3).tolist()) == expected


def test_a_flow_that_cannot_be_built_leaves_the_global_generators_as_they_were(monkeypatch):
    expected = np.random.get_state()[1].tolist()

    def fail(*_: object) -> None:
        np.random.rand()
        raise RuntimeError("no memory")

    monkeypatch.setattr(torch.nn.Linear, "__init__", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        ConditionalFlow(channels=6, condition=3)
    assert np.random.get_state()[1].tolist() == expected


@pytest.mark.parametrize(("channels", "condition"), [(1, 3), (4, -1)])
def test_impossible_widths_are_refused(channels, condition):
    with pytest.raises(ValueError, match=f"over {channels} channels given {condition}"):
        ConditionalFlow(channels, condition)


@pytest.mark.parametrize("wrong", [{"blocks": 0}, {"clamp": 0.0}, {"hidden": -1.0}, {"reach": 0}])
def test_settings_of_no_flow_are_refused(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        FlowSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"coupling": "cubic"}, {"bins": 1}])
def test_couplings_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FlowSettings(**wrong)


def test_a_spline_flow_and_its_saved_weights_agree_exactly():
    flow, copy = flow_of(6, coupling="spline"), flow_of(6, seed=9, coupling="spline")
    copy.load_state_dict(flow.state_dict())
    vectors, condition = drawn(8, 6), drawn(8, 3)
    assert torch.equal(flow.log_density(vectors, condition), copy.log_density(vectors, condition))


@pytest.mark.parametrize(("hidden", "millions"), [(1.0, 2.77), (2.0, 5.5)])
def test_the_weights_are_as_many_as_in_the_paper(hidden, millions):
    flow = ConditionalFlow(512, 128, FlowSettings(blocks=2, hidden=hidden))
    assert 4 * sum(p.numel() for p in flow.parameters()) / 1e6 == pytest.approx(millions, abs=0.03)


def test_the_state_holds_weights_and_a_seed_but_no_rotation():
    flow = flow_of(6)
    state = flow.state_dict()
    kept = sum(tensor.numel() for tensor in state.values())
    assert kept == sum(p.numel() for p in flow.parameters()) + 1


def test_a_flow_and_its_saved_weights_agree_exactly():
    flow, copy = flow_of(6, seed=0), flow_of(6, seed=9)
    copy.load_state_dict(flow.state_dict())
    vectors, condition = drawn(8, 6), drawn(8, 3)
    assert torch.equal(flow.log_density(vectors, condition), copy.log_density(vectors, condition))


def test_weights_read_into_a_flow_on_its_way_to_half_precision_turn_it_too():
    flow, copy = flow_of(6, seed=4).half(), flow_of(6, seed=9).half()
    copy.load_state_dict(flow.state_dict())
    assert torch.equal(copy.chain[2].w_perm, flow.chain[2].w_perm)
    assert torch.equal(copy.chain[2].w_perm_inv, flow.chain[2].w_perm.T)
