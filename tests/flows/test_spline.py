import pytest
import torch

from slicenet.flows.spline import Spline, SplineBlock

REACH = 4.0


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def spline(bins: int = 5, strength: float = 2.0, rows: int = 200) -> Spline:
    return Spline.of(strength * drawn(rows, 3, 3 * bins - 1), REACH)


def test_knots_are_met_with_the_slopes_asked_for():
    bent = spline()
    for knot in range(1, 5):  # of which five bins have four inside
        values = bent.across[..., knot].clone().requires_grad_()
        found, log_slope = bent.bend(values)
        (slope,) = torch.autograd.grad(found.sum(), values)
        torch.testing.assert_close(found, bent.up[..., knot])
        torch.testing.assert_close(slope, bent.slopes[..., knot])
        torch.testing.assert_close(log_slope.exp(), slope)


@pytest.mark.parametrize("bins", [2, 8])
def test_the_slope_is_that_of_autograd_and_always_rises(bins):
    bent = spline(bins)
    values = (3 * drawn(200, 3, seed=1)).requires_grad_()
    found, log_slope = bent.bend(values)
    (slope,) = torch.autograd.grad(found.sum(), values)
    torch.testing.assert_close(log_slope, slope.log())
    assert (slope > 0).all()


@pytest.mark.parametrize("strength", [0.1, 2.0, 6.0])
def test_what_was_bent_is_straightened_with_the_opposite_slope(strength):
    bent, values = spline(strength=strength), 3 * drawn(200, 3, seed=1)
    there, gained = bent.bend(values)
    back, lost = bent.straighten(there)
    torch.testing.assert_close(back, values, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(lost, -gained, atol=1e-5, rtol=1e-5)


def test_beyond_its_ends_nothing_changes():
    far = torch.tensor([[-9.0, -REACH, REACH], [REACH + 1e-9, 1e6, -1e6]]).double()
    found, log_slope = spline(rows=2).bend(far)
    assert torch.equal(found, far)
    assert (log_slope == 0).all()


def test_zeros_are_the_straight_line():
    values = 3 * drawn(50, 2)
    found, log_slope = Spline.of(torch.zeros(50, 2, 14).double(), REACH).bend(values)
    torch.testing.assert_close(found, values)
    torch.testing.assert_close(log_slope, torch.zeros_like(log_slope))


def test_a_single_precision_spline_stays_finite_at_the_edges_of_its_bins():
    bent = Spline.of(8 * drawn(500, 3, 23).float(), REACH)
    for knot in range(9):
        for nudge in (-1e-6, 0.0, 1e-6):
            found, log_slope = bent.bend(bent.across[..., knot] + nudge)
            assert found.isfinite().all()
            assert log_slope.isfinite().all()
            back, lost = bent.straighten(bent.up[..., knot] + nudge)
            assert back.isfinite().all()
            assert lost.isfinite().all()


def test_a_block_begins_as_the_identity():
    block = SplineBlock(
        [(5,)], [(2,)], subnet_constructor=lambda i, o: torch.nn.Sequential(torch.nn.Linear(i, o)),
        bins=4, reach=REACH,
    ).double()  # fmt: skip
    vectors, told = drawn(9, 5), drawn(9, 2, seed=1)
    (found,), growth = block([vectors], [told])
    torch.testing.assert_close(found, vectors)
    torch.testing.assert_close(growth, torch.zeros(9).double())
    assert block.output_dims([(5,)]) == [(5,)]
