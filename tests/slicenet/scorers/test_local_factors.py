from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.neighbors import LocalOutlierFactor

from slicenet.errors import ResourceError
from slicenet.features import FeatureMap
from slicenet.scorers import local_factors, room
from slicenet.scorers.local_factors import LocalFactors
from slicenet.scorers.places import Places, neighbours
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.standard import Standard
from slicenet.watch import silent

SHAPE = (4, 5, 3)
AROUND = (1, 1, 0)


def brain(seed, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    inside = torch.rand(SHAPE, generator=generator) > 0.3
    inside[0, 0] = False
    place = torch.arange(inside.numel())[inside.flatten()]
    vectors = torch.randn(int(inside.sum()), 3, generator=generator) + place[:, None] / 10
    return FeatureMap(vectors + shift, inside)


MAPS = [brain(seed) for seed in range(5)]


def fitted(maps=MAPS, each=500):
    scale = Standard(True)
    scale.fit(draw_sample(maps, 100, 0))
    places = Places.of(maps, AROUND, each, 0)
    local = LocalFactors(4, AROUND)
    local.fit(maps, places, 8, scale, silent)
    return local, places, scale


@pytest.mark.parametrize("held", [1, 10_000_000])
def test_a_cell_is_judged_among_the_vectors_of_its_position_as_by_scikit_learn(held, monkeypatch):
    monkeypatch.setattr(local_factors, "HELD", held)
    local, places, scale = fitted()
    known = places.known(8)
    for shift in (0.0, 4.0):
        new = brain(9, shift)
        vectors = scale(new.vectors)
        scores = local(vectors, new)
        for cell, vector, score in zip(new.cells().tolist(), vectors, scores, strict=True):
            middle = known[places.nearest(known)[cell]]
            near = neighbours(middle[None], SHAPE, AROUND)[0]
            own = [scale(one.vectors)[torch.isin(one.cells(), near)] for one in MAPS]
            peer = LocalOutlierFactor(n_neighbors=4, novelty=True)
            peer.fit(torch.cat(own).double().numpy())
            wanted = -peer.score_samples(vector[None].double().numpy())[0]
            assert score.item() == pytest.approx(wanted, rel=1e-3)


def test_vectors_are_kept_once_and_the_row_of_no_brain_is_empty():
    local, places, _ = fitted()
    assert local.vectors.shape == (int(places.seen.sum()) + 1, 5, 3)
    assert not local.exist[0].any()
    assert int(local.slot[-1]) == 0
    assert np.array_equal(local.exist.sum(0).numpy(), [len(one.vectors) for one in MAPS])


def test_only_the_chosen_brains_are_kept():
    local, places, scale = fitted(each=18)
    assert local.vectors.shape[1] == 2
    for index, chosen in enumerate(places.chosen):
        at = local.slot[MAPS[chosen].cells()]
        assert torch.equal(local.vectors[at, index], scale(MAPS[chosen].vectors))


def test_what_cannot_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(room, "memory", lambda: SimpleNamespace(available=100))
    with pytest.raises(ResourceError, match="GB are free"):
        fitted()


def test_where_brains_are_twins_another_is_strange_by_no_more_than_its_distance():
    twins = [FeatureMap(one.vectors.clone(), one.inside) for one in [MAPS[0]] * 5]
    for one in twins:
        one.vectors[:10] = 1.0  # the first cells, of all and around each other
    local, _, scale = fitted(twins)
    new = FeatureMap(twins[0].vectors + 0.5, twins[0].inside)
    scores = local(scale(new.vectors), new)
    far = float((scale(new.vectors) - scale(twins[0].vectors))[0].norm())
    spread = float(local.vectors[local.exist].square().mean().sqrt())
    assert scores[0].item() == pytest.approx(far / (0.01 * spread), rel=0.01)
    assert scores.max() < 1.1 * far / (0.01 * spread)
