import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.cluster import KMeans

from slicenet.draws import drawing
from slicenet.extractors.codebook import Codebook, Upkeep, perplexity, straight_through


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def book(codes):
    made = Codebook(*codes.shape)
    made.codes.copy_(codes)
    return made


def test_a_token_is_the_index_of_the_nearest_code():
    latents, codes = normal(4, 5, 3), normal(7, 3, seed=1)
    made = book(codes)
    tokens = made.nearest(latents)
    distances = torch.cdist(latents.reshape(-1, 3).double(), codes.double())
    assert torch.equal(tokens.flatten(), distances.argmin(1))
    assert torch.equal(made.of(tokens), codes[tokens])


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_the_first_step_is_one_of_k_means():
    latents, start = normal(300, 4), normal(6, 4, seed=1) / 2
    made = book(start)
    Upkeep(made, 0.99, 0.0).follow(latents, made.nearest(latents), drawing(0))
    truth = KMeans(6, init=start.numpy(), n_init=1, max_iter=1, algorithm="lloyd").fit(latents)
    assert np.allclose(made.codes, truth.cluster_centers_, atol=1e-5)


def test_without_memory_the_steps_are_those_of_k_means_to_its_end():
    latents, start = normal(300, 4), normal(6, 4, seed=1) / 2
    made = book(start)
    upkeep = Upkeep(made, 0.0, 0.0)
    for _ in range(40):
        upkeep.follow(latents, made.nearest(latents), drawing(0))
    truth = KMeans(6, init=start.numpy(), n_init=1, max_iter=300, tol=0.0).fit(latents)
    assert np.allclose(made.codes, truth.cluster_centers_, atol=1e-4)


def test_codes_are_averages_that_fade_as_the_recursion_says():
    decay, codes = 0.6, normal(3, 2)
    made = book(codes)
    upkeep = Upkeep(made, decay, 0.0)
    count, total = np.zeros(3), np.zeros((3, 2))
    for step in range(8):
        latents = normal(50, 2, seed=10 + step)
        tokens = torch.arange(50) % 3
        upkeep.follow(latents, tokens, drawing(0))
        fading = min(decay, 1 - 1 / (step + 1))
        count = fading * count + (1 - fading) * np.bincount(tokens, minlength=3)
        sums = np.stack([latents[tokens == k].double().sum(0) for k in range(3)])
        total = fading * total + (1 - fading) * sums
    assert np.allclose(made.codes, total / count[:, None], atol=1e-4)


def test_an_unused_code_stays_where_it_is_unless_it_is_revived():
    far = torch.tensor([[0.0, 0.0], [100.0, 100.0]])
    latents = normal(40, 2)
    for least, died in ((0.0, 0), (0.1, 1)):
        made = book(far)
        found = Upkeep(made, 0.9, least).follow(latents, made.nearest(latents), drawing(1))
        assert found == died
        kept = torch.equal(made.codes[1], far[1])
        assert kept == (died == 0)
        assert bool((latents == made.codes[1]).all(1).any()) == (died == 1)


def test_revival_lets_codes_be_used_that_begin_where_nothing_is():
    centres = 10 * normal(8, 2, seed=3)
    used = []
    for least in (0.0, 0.1):
        made = book(torch.cat((centres[:1], 1e3 + normal(7, 2, seed=4))))
        upkeep = Upkeep(made, 0.5, least)
        for step in range(30):
            latents = (centres[:, None] + 0.1 * normal(8, 20, 2, seed=step)).reshape(-1, 2)
            upkeep.follow(latents, made.nearest(latents), drawing(step))
        used.append(len(made.nearest(latents).unique()))
    assert used[0] == 1
    assert used[1] >= 7  # one may have died since it was last looked at


def test_codes_begin_at_latents_all_different_while_there_are_enough():
    latents, made = normal(20, 3), Codebook(20, 3)
    made.begin(latents, drawing(0))
    assert sorted(made.codes.tolist()) == sorted(latents.tolist())
    made = Codebook(50, 3)
    made.begin(latents, drawing(0))
    assert len(made.codes.unique(dim=0)) == 20


def test_the_gradient_passes_the_codebook_as_if_it_were_not_there():
    latents, codes = normal(6, 3).requires_grad_(True), normal(6, 3, seed=1)
    assert torch.allclose(straight_through(latents, codes), codes)
    jacobian = torch.autograd.functional.jacobian(
        lambda latents: straight_through(latents, codes), latents
    )
    assert torch.equal(jacobian.reshape(18, 18), torch.eye(18))


def test_no_gradient_reaches_the_codes():
    codes = normal(6, 3, seed=1).requires_grad_(True)
    straight_through(normal(6, 3).requires_grad_(True), codes).sum().backward()
    assert codes.grad is None


@pytest.mark.parametrize("shares", [[1, 0, 0], [1, 1, 1], [7, 2, 1]])
def test_perplexity_is_the_exponential_of_the_entropy(shares):
    tokens = torch.arange(3).repeat_interleave(torch.tensor(shares))
    assert math.isclose(perplexity(tokens, 3), math.exp(entropy(shares)), rel_tol=1e-9)
