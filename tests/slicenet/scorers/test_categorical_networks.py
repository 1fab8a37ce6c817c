import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.scorers.categorical_networks import (
    PLACE,
    CategoricalNetworkSettings,
    LatticeNetwork,
    RowNetwork,
)

TINY = CategoricalNetworkSettings(6, (1, 2))


def lattice(seed=0, size=11):
    torch.manual_seed(seed)
    network = LatticeNetwork(3, 2, TINY)
    torch.nn.init.normal_(network.leave.weight)  # which begins with nothing
    shape = (size,) * 3
    return network, torch.randn(1, 3, *shape), torch.ones(1, 1, *shape), torch.randn(
        1, sum(PLACE) + 3, *shape
    )  # fmt: skip


def test_a_change_reaches_as_far_as_the_dilations_and_no_farther():
    network, noisy, inside, place = lattice()
    other = noisy.clone()
    other[..., 5, 5, 5] += 3
    level = torch.tensor([0])
    with torch.no_grad():
        apart = network(other, inside, place, level) - network(noisy, inside, place, level)
    moved = apart.abs().amax((0, 1)).nonzero() - 5
    assert moved.abs().max() == sum(TINY.dilations)


def test_what_lies_outside_says_nothing():
    network, noisy, inside, place = lattice()
    inside[..., :4] = 0
    other = noisy.clone()
    other[..., :4] = 7
    level = torch.tensor([1])
    with torch.no_grad():
        one, two = (network(seen, inside, place, level) for seen in (noisy, other))
    assert torch.equal(one, two)


def test_a_window_cut_at_the_rim_gives_what_the_whole_gives():
    network, noisy, inside, place = lattice()
    inside[:, :, 8:] = 0
    level = torch.tensor([0])
    with torch.no_grad():
        whole = network(noisy, inside, place, level)[:, :, :8]
        part = network(noisy[:, :, :8], inside[:, :, :8], place[:, :, :8], level)
    assert torch.allclose(whole, part, atol=1e-5)


def test_levels_are_told_apart_once_they_are_learnt():
    for network, given in (
        (lattice()[0], lattice()[1:]),
        (RowNetwork(3, 2, TINY), (torch.randn(1, 3),)),
    ):
        with torch.no_grad():
            before = [network(*given, torch.tensor([level])) for level in (0, 1)]
            network.level.weight[1] += 1
            after = network(*given, torch.tensor([1]))
        assert torch.equal(*before)
        assert not torch.allclose(after, before[1])


def test_before_it_has_learnt_it_believes_what_is_usual():
    _, noisy, inside, place = lattice()
    fresh = LatticeNetwork(3, 2, TINY)
    with torch.no_grad():
        found = fresh(noisy, inside, place, torch.tensor([0]))
    assert torch.equal(found, place[:, sum(PLACE) :])


def test_every_row_is_judged_alone():
    torch.manual_seed(0)
    network, rows = RowNetwork(5, 3, TINY), torch.randn(9, 5)
    level = torch.randint(3, (9,))
    with torch.no_grad():
        together = network(rows, level)
        alone = torch.cat([network(rows[k : k + 1], level[k : k + 1]) for k in range(9)])
    assert torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"dilations": ()}, {"dilations": (0,)}])
def test_impossible_networks_are_refused(wrong):
    with pytest.raises(ConfigError):
        CategoricalNetworkSettings(**wrong)
