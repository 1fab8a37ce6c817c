import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.score_model import level_code
from slicenet.extractors.score_networks import (
    ScoreNetwork,
    ScoreNetworkSettings,
    VectorNetwork,
    even,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(axes=3, depth=2, blocks=1):
    torch.manual_seed(0)
    settings = ScoreNetworkSettings(axes=axes, width=4, depth=depth, blocks=blocks)
    made = ScoreNetwork(3, 2, settings)
    with torch.no_grad():  # away from its start, where it says 0
        for number, parameter in enumerate(made.parameters()):
            parameter += 0.2 * drawn(*parameter.shape, seed=number)
    return made


CODES = level_code(torch.tensor([0.1, 2.0]))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_what_comes_out_is_as_large_as_what_goes_in(axes, depth):
    seen = drawn(2, 3, *[8] * axes)
    assert network(axes, depth, 2)(seen, CODES).shape == (2, 2, *[8] * axes)


def test_a_fresh_network_says_nothing():
    torch.manual_seed(0)
    fresh = ScoreNetwork(3, 2, ScoreNetworkSettings(width=4, depth=2))
    assert (fresh(drawn(2, 3, 8, 8, 8), CODES) == 0).all()
    vectors = VectorNetwork(5, 3, 8, 2)
    assert (vectors(drawn(2, 5), CODES) == 0).all()


def test_the_level_changes_what_is_said():
    made, seen = network(), drawn(1, 3, 8, 8, 8).expand(2, -1, -1, -1, -1)
    low, high = made(seen, CODES)
    assert (low - high).abs().mean() > 1e-2


def test_samples_of_a_batch_do_not_know_each_other():
    made, seen = network(), drawn(2, 3, 8, 8, 8)
    alone = made(seen[:1], CODES[:1])
    torch.testing.assert_close(made(seen, CODES)[:1], alone, atol=1e-5, rtol=1e-4)


def test_a_change_reaches_no_further_than_the_convolutions():
    # With depth 1 and one block: four convolutions of reach one each.
    made, seen = network(axes=2, depth=1), drawn(1, 3, 24, 24)
    changed = seen.clone()
    changed[..., 12, 12] += 50
    moved = (made(changed, CODES[:1]) - made(seen, CODES[:1])).abs().amax((0, 1)) > 1e-6
    rows, columns = moved.nonzero().T
    assert moved[12, 12]
    assert max((rows - 12).abs().max(), (columns - 12).abs().max()) <= 4


def test_even_maps_have_unit_length_at_each_place():
    maps = even(5 * drawn(2, 6, 3, 3))
    torch.testing.assert_close(maps.square().mean(1), torch.ones(2, 3, 3), atol=1e-4, rtol=0)


def test_widths_double_up_to_four_times():
    assert ScoreNetworkSettings(width=8, depth=5).widths() == [8, 16, 32, 32, 32]
    assert ScoreNetworkSettings(depth=4).unit == 8


@pytest.mark.parametrize("wrong", [{"axes": 1}, {"width": 0}, {"depth": 7}, {"blocks": 0}])
def test_networks_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        ScoreNetworkSettings(**wrong)
