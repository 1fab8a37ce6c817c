import numpy as np
import pytest
import torch

from slicenet.flows.focal import healthy_weights, strange_weights

LEVELS = np.concatenate((np.linspace(-5, 5, 998), [-1.0, -0.2]))


def test_the_weights_of_the_healthy_are_the_published_ones():
    expected = [1 if u > -0.2 else 11.7 * (1 - np.exp(u)) ** 0.5 * abs(u) for u in LEVELS]
    found = healthy_weights(torch.from_numpy(LEVELS))
    np.testing.assert_allclose(found, expected)


def test_the_weights_of_the_strange_are_the_published_ones():
    expected = np.array([1 if u <= -1 else 0.53 * (1 + np.exp(u)) ** 2 / abs(u) for u in LEVELS])
    levels = torch.from_numpy(LEVELS)
    np.testing.assert_allclose(strange_weights(levels, clamped=False), expected)
    np.testing.assert_allclose(strange_weights(levels, clamped=True), np.minimum(expected, 10))


@pytest.mark.parametrize(("level", "weight"), [(-0.05, 40), (-0.01, 210), (0.001, 2100)])
def test_the_published_weights_have_a_pole_where_trained_flows_are(level, weight):
    found = strange_weights(torch.tensor(level), clamped=False)
    assert float(found) == pytest.approx(weight, rel=0.02)


def test_clamped_weights_have_no_pole():
    assert float(strange_weights(torch.zeros(()), clamped=True)) == 10


def test_weights_carry_no_gradient():
    level = torch.linspace(-3, 3, 6, requires_grad=True)
    assert not healthy_weights(level).requires_grad
    assert not strange_weights(level, clamped=True).requires_grad


def test_no_vectors_have_no_weights():
    assert len(healthy_weights(torch.empty(0))) == len(strange_weights(torch.empty(0), True)) == 0
