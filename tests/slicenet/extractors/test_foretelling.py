import math

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.foretelling import (
    Corpus,
    ForetellingSettings,
    foretold,
    learn_prior,
    surprise,
)
from slicenet.extractors.orders import OrderSettings, orders
from slicenet.extractors.prior import Prior, PriorSettings
from slicenet.extractors.token_grids import TokenGrid, read
from slicenet.watch import silent

X, Y, CODES = 3, 4, 4
NETWORK = PriorSettings(width=32, layers=2, heads=2)
SETTINGS = ForetellingSettings(steps=250, batch=64, rate=3e-3)
READING = orders(OrderSettings(("raster",), 2), (X, Y))


def grids(draw, count, slices=4, seed=0):
    """Volumes whose slices `draw` makes, all of it brain."""
    random = np.random.default_rng(seed)
    whole = torch.ones(slices, X, Y, dtype=torch.bool)
    return [
        TokenGrid(torch.from_numpy(np.stack([draw(random) for _ in range(slices)])), whole)
        for _ in range(count)
    ]


def taught(draw, settings=SETTINGS, reading=READING):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        prior = Prior(CODES, NETWORK)
    learn_prior(prior, grids(draw, 200), reading, settings, 0, silent)
    return prior


def asked(prior, draw, order):
    """Mean surprise of each cell of fresh slices, [X * Y] nats."""
    found = grids(draw, 200, seed=1)
    tokens = torch.cat([grid.tokens for grid in found])
    which = torch.arange(4).repeat(200)
    sequences = read(tokens, torch.ones_like(tokens, dtype=torch.bool), order)
    with torch.no_grad():
        nats = surprise(prior, sequences, Prior.places((X, Y, 4)), which)
    return sequences.spread(nats, (X, Y), torch.zeros(tokens.shape)).mean(0).flatten()


def entropy(shares):
    return float(-(shares * np.log(shares)).sum())


def test_the_entropy_of_a_source_of_independent_tokens_is_recovered():
    shares = np.random.default_rng(5).dirichlet(np.ones(CODES), X * Y)

    def draw(random):
        return np.array([random.choice(CODES, p=one) for one in shares]).reshape(X, Y)

    prior = taught(draw)
    for order in READING:
        found = asked(prior, draw, order)
        truth = np.array([entropy(one) for one in shares])
        assert abs(float(found.mean()) - truth.mean()) < 0.05
        assert np.abs(found.numpy() - truth).max() < 0.15


def test_what_a_token_says_of_the_next_is_learnt():
    # A chain that repeats its token with 0.85, along the rows as they are read.
    def draw(random):
        tokens = [random.integers(CODES)]
        for _ in range(X * Y - 1):
            other = random.integers(CODES)
            tokens.append(tokens[-1] if random.random() < 0.8 else other)
        return np.array(tokens).reshape(X, Y)

    prior = taught(draw)
    rate = entropy(np.array([0.85, 0.05, 0.05, 0.05]))
    for order in READING:  # a chain that forgets as fast in both directions
        found = asked(prior, draw, order)[order]
        assert abs(float(found[0]) - math.log(CODES)) < 0.03
        assert abs(float(found[1:].mean()) - rate) < 0.04


def test_every_order_adds_up_to_the_same_probability_where_nothing_is_left_to_learn():
    # One of two pictures: the first token read tells all others, whichever it is.
    pictures = np.random.default_rng(3).permutation(np.arange(X * Y) % 2).reshape(X, Y)

    def draw(random):
        return pictures if random.random() < 0.5 else 1 - pictures

    reading = orders(OrderSettings(("raster", "hilbert"), 4), (X, Y))
    prior = taught(draw, reading=reading)
    for order in reading:
        found = asked(prior, draw, order)[order]
        assert abs(float(found[0]) - math.log(2)) < 0.05
        assert float(found[1:].max()) < 0.05


def test_the_loss_is_that_of_the_tokens_inside_alone(told):
    inside = torch.zeros(2, X, Y, dtype=torch.bool)
    inside[0, :2, 1] = True
    tokens = torch.randint(CODES, (2, X, Y), generator=torch.Generator().manual_seed(0))
    prior = Prior(CODES, NETWORK)
    sequences = read(tokens, inside, READING[0])
    places, which = Prior.places((X, Y, 2)), torch.arange(2)
    logits = foretold(prior, sequences, places, which).detach()
    assert logits.shape == (2, 2, CODES)
    wanted = -torch.log_softmax(logits[0], 1)[range(2), tokens[0, :2, 1]].mean()
    one_step = ForetellingSettings(steps=1, batch=2)
    learn_prior(prior, [TokenGrid(tokens, inside)], READING[:1], one_step, 0, told)
    assert math.isclose(told.told[0]["loss"], float(wanted), rel_tol=1e-5)


def test_slices_without_brain_teach_nothing():
    inside = torch.zeros(3, X, Y, dtype=torch.bool)
    inside[1] = True
    corpus = Corpus.of([TokenGrid(torch.zeros(3, X, Y, dtype=torch.int64), inside)] * 2)
    assert corpus.slice.tolist() == [1, 1]
    assert corpus.lattice == (X, Y, 3)
    with pytest.raises(ConfigError):
        Corpus.of([])


def test_impossible_settings_are_refused():
    with pytest.raises(ConfigError):
        ForetellingSettings(steps=0)
