import numpy as np
import torch

from slicenet.flows.push_pull import semi_push_pull


def expected_loss(healthy, strange, quantile, margin):
    boundary = np.quantile(healthy, quantile)
    pull = [boundary - one for one in healthy if one < boundary]
    push = [one - (boundary - margin) for one in strange if one > boundary - margin]
    return sum(np.mean(part) for part in (pull, push) if part)


def test_the_loss_is_the_mean_violation_of_each_side():
    draw = np.random.default_rng(0)
    healthy, strange = draw.normal(-1, 0.5, 200), draw.normal(-2, 1, 40)
    loss = semi_push_pull(
        torch.from_numpy(healthy), torch.from_numpy(strange), quantile=0.1, margin=0.2
    )
    torch.testing.assert_close(loss.item(), expected_loss(healthy, strange, 0.1, 0.2))


def test_no_violation_is_a_loss_of_zero_with_gradients_of_zero_not_nan():
    healthy = torch.zeros(8, requires_grad=True)
    strange = torch.full((8,), -9.0, requires_grad=True)
    loss = semi_push_pull(healthy, strange, quantile=0.05, margin=0.1)
    loss.backward()
    assert loss == 0
    assert not healthy.grad.any()
    assert not strange.grad.any()


def test_a_batch_without_strange_vectors_is_only_pulled():
    healthy = torch.linspace(-1, 0, 50)
    loss = semi_push_pull(healthy, torch.empty(0), quantile=0.1, margin=0.1)
    expected = expected_loss(healthy.numpy(), [], 0.1, 0.1)
    torch.testing.assert_close(loss.item(), float(expected))


def test_healthy_vectors_are_pulled_up_and_strange_ones_pushed_down():
    healthy = torch.linspace(-1, 0, 50, requires_grad=True)
    strange = torch.zeros(5, requires_grad=True)
    semi_push_pull(healthy, strange, quantile=0.05, margin=0.1).backward()
    assert (healthy.grad <= 0).all()
    assert healthy.grad[0] < 0
    assert (strange.grad > 0).all()


def test_the_boundary_itself_passes_no_gradient():
    healthy = torch.linspace(-1, 0, 51, requires_grad=True)
    strange = torch.zeros(5)
    semi_push_pull(healthy, strange, quantile=0.5, margin=0.1).backward()
    # The vector that is the quantile would carry the whole gradient of the boundary.
    assert healthy.grad[25] == 0
    assert not healthy.grad[26:].any()
