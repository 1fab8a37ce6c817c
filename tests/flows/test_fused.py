import pytest
import torch

from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.fused import PIECE, FusedFlow


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def flow_of(channels: int, width: int, settings: FlowSettings) -> ConditionalFlow:
    flow = ConditionalFlow(channels, width, settings)
    with torch.no_grad():  # away from its start, where scales are 1 and offsets 0
        for parameter in flow.parameters():
            parameter += 0.1 * drawn(*parameter.shape, seed=parameter.numel())
    return flow


@pytest.mark.parametrize(("channels", "width"), [(2, 0), (7, 3), (33, 8)])
@pytest.mark.parametrize("blocks", [1, 2, 8])
@pytest.mark.parametrize("hidden", [1.0, 2.0])
def test_fused_and_unfused_densities_are_equal(channels, width, blocks, hidden):
    flow = flow_of(channels, width, FlowSettings(blocks=blocks, hidden=hidden)).double()
    vectors, condition = drawn(PIECE + 5, channels).double(), drawn(PIECE + 5, width).double()
    fused = FusedFlow(flow).log_density(vectors, condition)
    unfused = flow.log_density(vectors, condition)
    # FrEIA's rotations keep lengths to single precision only.
    assert float((fused - unfused).detach().abs().max()) < 1e-5


def test_fused_densities_are_equal_in_single_precision_at_the_papers_width():
    flow = flow_of(512, 128, FlowSettings(blocks=4))
    vectors, condition = drawn(50, 512), drawn(50, 128)
    fused, unfused = (
        FusedFlow(flow).log_density(vectors, condition),
        flow.log_density(vectors, condition),
    )
    assert float(((fused - unfused) / unfused).detach().abs().max()) < 1e-5


def test_what_is_scored_is_left_as_it_was():
    flow, vectors, condition = flow_of(6, 3, FlowSettings()), drawn(9, 6), drawn(9, 3)
    before, weights = vectors.clone(), {k: v.clone() for k, v in flow.state_dict().items()}
    FusedFlow(flow).log_density(vectors, condition)
    assert torch.equal(vectors, before)
    assert all(torch.equal(v, weights[k]) for k, v in flow.state_dict().items())


def test_no_vectors_have_no_densities():
    flow = ConditionalFlow(6, 3)
    assert FusedFlow(flow).log_density(torch.empty(0, 6), torch.empty(0, 3)).shape == (0,)


def test_scores_carry_no_gradients():
    flow = ConditionalFlow(6, 3)
    assert not FusedFlow(flow).log_density(drawn(4, 6), drawn(4, 3)).requires_grad
    assert not FusedFlow(flow).log_scales.requires_grad


def test_splines_are_scored_as_they_are():
    flow = flow_of(6, 3, FlowSettings(blocks=2, coupling="spline"))
    vectors, condition = drawn(PIECE + 5, 6), drawn(PIECE + 5, 3)
    fused = FusedFlow(flow).log_density(vectors, condition)
    assert torch.allclose(fused, flow.log_density(vectors, condition), atol=1e-5)
    assert not fused.requires_grad
