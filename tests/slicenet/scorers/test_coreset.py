import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from slicenet.scorers.coreset import coreset, project
from slicenet.watch import silent


def cloud(count, channels=6, seed=0):
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed))


def chosen(vectors, count, projection=0, seed=0):
    return coreset(vectors, count, projection, torch.Generator().manual_seed(seed), silent)


def plain(vectors, count, first):
    """Two loops: for every choice, the least distance of every vector to any chosen before."""
    found = [first]
    for _ in range(count - 1):
        least = [min(np.linalg.norm(one - vectors[i]) for i in found) for one in vectors]
        found.append(int(np.argmax(least)))
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_the_choice_is_that_of_two_plain_loops(seed):
    vectors = cloud(120, seed=seed)
    found = chosen(vectors, 25, seed=seed).tolist()
    assert found == plain(vectors.double().numpy(), 25, found[0])


def test_no_vector_is_far_from_those_chosen():
    # Twenty tight groups: as many choices find every one, which few random draws would.
    centres = cloud(20, seed=3) * 20
    vectors = (centres[:, None] + 0.1 * cloud(600).view(20, 30, 6)).flatten(0, 1)
    groups = chosen(vectors, 20) // 30
    assert sorted(groups.tolist()) == list(range(20))


def test_none_is_chosen_twice_even_among_twins():
    twins = cloud(4).repeat(25, 1)
    assert len(set(chosen(twins, 60).tolist())) == 60


def test_of_too_few_all_are_chosen():
    assert sorted(chosen(cloud(7), 50).tolist()) == list(range(7))


def test_the_start_follows_from_the_draw():
    vectors = cloud(200)
    assert torch.equal(chosen(vectors, 9, seed=1), chosen(vectors, 9, seed=1))
    assert len({int(chosen(vectors, 1, seed=seed)) for seed in range(8)}) > 4


def test_a_projection_keeps_distances_nearly():
    vectors = cloud(60, channels=2000)
    seen = project(vectors, 500, torch.Generator().manual_seed(0))
    assert seen.shape == (60, 500)
    apart = np.triu_indices(60, 1)
    ratio = (cdist(seen, seen)[apart] / cdist(vectors, vectors)[apart]) ** 2
    assert abs(ratio.mean() - 1) < 0.02
    assert ratio.std() < 2 * (2 / 500) ** 0.5
    for kept in (0, 2000, 3000):
        assert project(vectors, kept, torch.Generator()) is vectors


def test_it_tells_how_far_it_is():
    told = []
    coreset(cloud(300), 200, 0, torch.Generator(), lambda stage, done, total: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 200
