import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from slicenet.errors import ConfigError
from slicenet.extractors.orders import OrderSettings, orders
from slicenet.extractors.prior import Prior, PriorSettings
from slicenet.extractors.restoring import (
    RestoringSettings,
    draw,
    improbable,
    masked,
    readings,
    restored,
)
from slicenet.extractors.token_grids import TokenGrid, read

CODES = 6
SHAPE = (5, 3, 4)  # slices, x, y


@pytest.fixture
def prior():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Prior(CODES, PriorSettings(width=16, layers=2, heads=2))


@pytest.fixture
def grid():
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(CODES, SHAPE, generator=generator)
    return TokenGrid(tokens, torch.rand(SHAPE, generator=generator) > 0.3)


ORDERS = orders(OrderSettings(count=4), SHAPE[1:])


def test_the_surprise_of_a_slice_is_what_the_prior_says_of_it_alone(prior, grid):
    places = Prior.places(grid.lattice)
    for order, found in zip(ORDERS, readings(prior, grid, ORDERS), strict=True):
        assert (found.surprise[~grid.inside] == 0).all()
        for slice in range(SHAPE[0]):
            cells = [int(c) for c in order if grid.inside[slice].flatten()[c]]
            tokens = grid.tokens[slice].flatten()[cells]
            with torch.no_grad():
                logits = prior(tokens[None], places[slice, cells][None])[0]
            wanted = F.cross_entropy(logits, tokens, reduction="none")
            assert torch.allclose(found.surprise[slice].flatten()[cells], wanted, atol=1e-5)


def test_probable_tokens_are_left_alone_and_improbable_ones_are_drawn(prior, grid):
    (one, *_) = readings(prior, grid, ORDERS)
    least = float(one.surprise[grid.inside].median())
    where, found = improbable(one, least), restored(grid, one, least)
    assert torch.equal(where, one.surprise > least)
    assert torch.equal(found[~where], grid.tokens[~where])
    assert torch.equal(found[where], one.drawn[where])
    assert not torch.equal(found, grid.tokens)
    assert torch.equal(restored(grid, one, 1e9), grid.tokens)


def test_what_is_no_brain_is_never_drawn_again(prior, grid):
    for one in readings(prior, grid, ORDERS):
        assert torch.equal(one.drawn[~grid.inside], grid.tokens[~grid.inside])


def test_a_prior_that_is_sure_restores_what_it_expects(grid):
    # Its logits say 2 wherever it is asked.
    prior = Prior(CODES, PriorSettings(width=16, layers=1, heads=2))
    last = prior.out[-1]
    torch.nn.init.zeros_(last.weight)
    last.bias.data = 50 * F.one_hot(torch.tensor(2), CODES).float()
    for one in readings(prior, grid, ORDERS):
        assert (restored(grid, one, 1.0)[grid.inside] == 2).all()
        assert torch.equal(improbable(one, 1.0), grid.inside & (grid.tokens != 2))


def test_a_volume_is_restored_alike_every_time_whoever_drew_before(prior, grid):
    first = readings(prior, grid, ORDERS)
    torch.rand(5)
    for one, other in zip(first, readings(prior, grid, ORDERS), strict=True):
        assert torch.equal(one.drawn, other.drawn)
    assert not torch.equal(first[0].drawn, first[1].drawn)


def test_tokens_are_drawn_as_often_as_they_are_probable():
    logits = torch.tensor([0.0, 1.0, -2.0, 0.5])
    even = (torch.arange(100_000) + 0.5) / 100_000
    found = torch.bincount(draw(logits.expand(100_000, -1), even), minlength=4) / 100_000
    assert torch.allclose(found, logits.softmax(0), atol=1e-4)
    assert int(draw(logits, torch.tensor(1.0))) == 3


def test_a_change_counts_near_what_was_restored_alone():
    where = torch.zeros(6, 4, 5, dtype=torch.bool)  # slices, x, y
    where[3, 1, 2] = True
    change = torch.rand(8, 10, 6, generator=torch.Generator().manual_seed(0))
    found = masked(change, where, 2, (1.0, 1.0, 0.5))
    mask = np.zeros((8, 10, 6))
    mask[2:4, 4:6, 3] = 1
    wanted = change.numpy() * gaussian_filter(mask, (1.0, 1.0, 0.5), mode="constant")
    assert np.allclose(found, wanted, atol=1e-5)
    assert torch.equal(masked(change, where, 2, (0.0, 0.0, 0.0)) > 0, torch.from_numpy(mask > 0))


def test_few_slices_at_once_are_read_as_all_are(prior, grid, monkeypatch):
    whole = readings(prior, grid, ORDERS)
    monkeypatch.setattr("slicenet.extractors.restoring.ROOM", 2 * 12)
    for one, other in zip(whole, readings(prior, grid, ORDERS), strict=True):
        assert torch.allclose(one.surprise, other.surprise, atol=1e-5)
        assert torch.equal(one.drawn, other.drawn)
    assert read(grid.tokens, grid.inside, ORDERS[0]).tokens.shape[0] == SHAPE[0]


@pytest.mark.parametrize("wrong", [{"rare": 0.0}, {"rare": 1.0}, {"blur": -1.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        RestoringSettings(**wrong)
