import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.prior import Prior, PriorSettings
from slicenet.flows.position import position_code

SETTINGS = PriorSettings(width=16, layers=2, heads=4)
CODES, LENGTH = 7, 12


def made(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Prior(CODES, SETTINGS).double()


def sequences(count=2):
    tokens = torch.randint(CODES, (count, LENGTH), generator=torch.Generator().manual_seed(1))
    return tokens, Prior.places((3, 4, 1)).double().expand(count, -1, -1)


@pytest.mark.parametrize("at", [0, 4, LENGTH - 1])
def test_a_token_and_those_after_it_are_unknown_where_it_is_asked_for(at):
    prior, (tokens, places) = made(), sequences()
    changed = tokens.clone()
    changed[:, at:] = (changed[:, at:] + 1 + torch.arange(LENGTH - at) % (CODES - 1)) % CODES
    one, other = prior(tokens, places), prior(changed, places)
    assert torch.equal(one[:, : at + 1], other[:, : at + 1])
    if at < LENGTH - 1:
        assert not torch.allclose(one[:, at + 1], other[:, at + 1])


def test_every_token_before_is_known():
    prior, (tokens, places) = made(), sequences(1)
    embedded = F.one_hot(tokens, CODES + 1).double().requires_grad_(True)

    def last(hot):
        prior.token.forward = lambda before: torch.cat(
            (prior.token.weight[-1].expand(1, 1, -1), (hot @ prior.token.weight)[:, :-1]), 1
        )
        return prior(tokens, places)[0, -1].square().sum()

    last(embedded).backward()
    seen = embedded.grad.abs().sum((0, 2)) > 0
    assert seen.tolist() == [True] * (LENGTH - 1) + [False]


def test_where_a_token_lies_is_known_when_it_is_asked_for_and_not_where_later_ones_do():
    prior, (tokens, places) = made(), sequences(1)
    moved = places.clone()
    moved[:, 5] += 1
    one, other = prior(tokens, places), prior(tokens, moved)
    assert torch.equal(one[:, :5], other[:, :5])
    assert not torch.allclose(one[:, 5], other[:, 5])


def test_what_is_after_the_end_of_a_sequence_changes_nothing():
    prior, (tokens, places) = made(), sequences()
    short = prior(tokens[:, :6], places[:, :6])
    assert torch.allclose(prior(tokens, places)[:, :6], short, atol=1e-12)


def test_places_are_told_slice_by_slice():
    found = Prior.places((2, 3, 4))
    code = position_code((2, 3, 4), (32, 32, 16))
    assert found.shape == (4, 6, 80)
    assert torch.equal(found[3, 1 * 3 + 2], code[1, 2, 3])


@pytest.mark.parametrize("wrong", [{"width": 0}, {"layers": 0}, {"heads": 0}, {"heads": 3}])
def test_what_is_no_transformer_is_refused(wrong):
    with pytest.raises(ConfigError):
        PriorSettings(**{"width": 16, **wrong})
