import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers import places
from slicenet.scorers.places import Places, check_around, neighbours

SHAPE = (5, 6, 4)


def brain(seed):
    """A map whose vectors tell whose they are and of which cell."""
    inside = torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) > 0.5
    inside[0] = False  # never brain
    cells = inside.flatten().nonzero()[:, 0]
    return FeatureMap(torch.stack((torch.full_like(cells, seed), cells), 1).half(), inside)


MAPS = [brain(seed) for seed in range(6)]


def sought(cell, around):
    """Cells around one by hand, all axes."""
    centre = np.unravel_index(cell, SHAPE)
    spans = [
        range(max(0, at - reach), min(size, at + reach + 1))
        for at, reach, size in zip(centre, around, SHAPE, strict=True)
    ]
    return {
        int(np.ravel_multi_index((x, y, z), SHAPE))
        for x in spans[0] for y in spans[1] for z in spans[2]
    }  # fmt: skip


@pytest.mark.parametrize("around", [(0, 0, 0), (1, 1, 0), (1, 2, 1)])
def test_cells_around_one_are_those_that_the_lattice_has(around):
    found = neighbours(torch.arange(120), SHAPE, around)
    assert found.shape[1] == np.prod([2 * reach + 1 for reach in around])
    assert torch.equal(found[:, found.shape[1] // 2], torch.arange(120))
    for cell, row in enumerate(found.tolist()):
        assert {at for at in row if at < 120} == sought(cell, around)
        assert len([at for at in row if at < 120]) == len(sought(cell, around))
        assert set(row) <= {*sought(cell, around), 120}


@pytest.mark.parametrize("held", [1, 40_000])
def test_a_place_has_the_vectors_of_all_brains_at_it_and_around_it(held, monkeypatch):
    monkeypatch.setattr(places, "HELD", held)
    found = Places.of(MAPS, (1, 1, 0), 500, 0)
    assert found.chosen == (0, 1, 2, 3, 4, 5)
    cells = found.known(8)
    walked = []
    for part, vectors, exist in found.walk(MAPS, cells):
        for cell, own, known in zip(part.tolist(), vectors, exist, strict=True):
            near = sought(cell, (1, 1, 0))
            wanted = sorted(
                (owner, at)
                for owner, one in enumerate(MAPS)
                for at in one.cells().tolist() if at in near
            )  # fmt: skip
            assert sorted((int(a), int(b)) for a, b in own[known].tolist()) == wanted
            assert (own[~known] == 0).all()
            assert int(found.count.flatten()[cell]) == len(wanted) >= 8
        walked += part.tolist()
    assert walked == cells.tolist()


def test_no_more_brains_are_looked_at_than_a_place_may_have():
    found = Places.of(MAPS, (1, 1, 0), 30, 0)
    assert len(found.chosen) == 3
    assert [int(one.vectors[0, 0]) for one in found.among(MAPS)] == list(found.chosen)
    others = {Places.of(MAPS, (1, 1, 0), 30, seed).chosen for seed in range(9)}
    assert len(others) > 1
    assert torch.equal(found.seen, torch.stack([MAPS[i].inside for i in found.chosen]).any(0))


def test_a_cell_that_few_brains_have_asks_the_nearest_that_has_enough():
    found = Places.of(MAPS, (0, 0, 0), 500, 0)
    cells = found.known(4)
    assert 0 < len(cells) < 100
    row = found.nearest(cells)
    points = np.stack(np.unravel_index(np.arange(120), SHAPE), 1)
    distance = cKDTree(points[cells.numpy()]).query(points)[0]
    taken = points[cells[row].numpy()]
    assert np.allclose(np.linalg.norm(points - taken, axis=1), distance)
    assert torch.equal(row[cells], torch.arange(len(cells)))


def test_where_none_has_enough_those_with_most_will_do():
    found = Places.of(MAPS, (0, 0, 0), 500, 0)
    assert found.count.flatten()[found.known(99)].unique().tolist() == [int(found.count.max())]


@pytest.mark.parametrize(("around", "least"), [((1, 1), 2), ((1, 1, -1), 2), ((1, 1, 1), 1)])
def test_a_neighbourhood_that_is_none_is_refused(around, least):
    with pytest.raises(ConfigError):
        check_around(around, least)
