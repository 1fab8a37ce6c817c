from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.flows.position import position_code
from slicenet.flows.relaxation import LadderSettings
from slicenet.scorers.categorical_networks import (
    PLACE,
    CategoricalNetworkSettings,
    LatticeNetwork,
)
from slicenet.scorers.fields import Atlas, Field, Windows, placed, told

KINDS = [4, 3]


def field(shape=(9, 10, 8), seed=0):
    draw = torch.Generator().manual_seed(seed)
    inside = torch.zeros(shape, dtype=torch.bool)
    inside[2:7, 3:9, 1:7] = torch.rand(5, 6, 6, generator=draw) > 0.2
    count = int(inside.sum())
    vectors = torch.stack([torch.randint(k, (count,), generator=draw) for k in KINDS], 1)
    return Field.of(vectors.float(), inside, KINDS), vectors


def windows(edge=5, batch=3, seed=0):
    fields = [field(seed=one)[0] for one in range(3)]
    atlas = Atlas.of(fields, KINDS)
    ladder = LadderSettings(levels=2)
    return Windows(fields, atlas, ladder, edge, batch, seed, torch.device("cpu"))


def network(seed=0):
    torch.manual_seed(seed)
    return LatticeNetwork(sum(KINDS), 2, CategoricalNetworkSettings(6, (1,)))


def test_categories_lie_where_their_cells_do():
    found, vectors = field()
    assert torch.equal(found.codes[:, found.inside].T, vectors.to(torch.int16))
    assert (found.codes[:, ~found.inside] == 0).all()


def test_the_cut_holds_all_that_is_inside_and_no_empty_rim():
    found, _ = field()
    cut = found.cut()
    assert cut.inside.sum() == found.inside.sum()
    for axis in range(3):
        rim = cut.inside.movedim(axis, 0)
        assert rim[0].any()
        assert rim[-1].any()
    assert torch.equal(cut.codes[:, cut.inside], found.codes[:, found.inside])


def test_a_window_knows_its_place_in_the_whole():
    part = field()[0].window((3, 2, 1), (4, 5, 6))
    whole = position_code((9, 10, 8), PLACE)[3:7, 2:7, 1:7].movedim(-1, 0)
    assert torch.allclose(placed(part), whole)


@pytest.mark.parametrize("seen", [False, True])
def test_the_prior_is_the_share_of_the_others_that_have_a_category(seen):
    fields = [field(seed=one)[0] for one in range(4)]
    atlas = Atlas.of(fields, KINDS)
    part = fields[0].window((2, 3, 1), (4, 4, 4))
    found = atlas.prior(part, seen).exp()
    for chances in found.split(KINDS):
        assert torch.allclose(chances.sum(0), torch.ones(4, 4, 4), atol=1e-5)
    others = fields[1:] if seen else fields
    whole = torch.zeros(KINDS[0])
    for one in fields:
        whole += torch.bincount(one.codes[0][one.inside].long(), minlength=KINDS[0])
    usual = (whole + 1) / (whole + 1).sum()
    for x, y, z in ((0, 0, 0), (1, 2, 3), (3, 3, 3)):
        at = (x + 2, y + 3, z + 1)
        held = [int(one.codes[0][at]) for one in others if one.inside[at]]
        for kind in range(KINDS[0]):
            wanted = (held.count(kind) + usual[kind]) / (len(held) + 1)
            assert found[kind, x, y, z].item() == pytest.approx(float(wanted), rel=1e-4)


def test_all_that_is_anywhere_is_counted_once():
    fields = [field(seed=one)[0] for one in range(4)]
    atlas = Atlas.of(fields, KINDS)
    codes = torch.cat([one.codes[:, one.inside] for one in fields], 1).long().numpy()
    wanted = [np.bincount(row, minlength=kinds) for row, kinds in zip(codes, KINDS, strict=True)]
    assert atlas.total.tolist() == np.concatenate(wanted).tolist()
    counted = atlas.total
    atlas.prior(fields[0].cut(), seen=True)
    assert atlas.total is counted


def test_a_network_is_told_place_and_prior():
    part = field()[0].cut()
    atlas = Atlas.of([field(seed=3)[0]], KINDS)
    both = told(part, atlas, seen=False)
    assert torch.equal(both[: sum(PLACE)], placed(part))
    assert torch.equal(both[sum(PLACE) :], atlas.prior(part, False))


def test_windows_follow_from_seed_and_step_and_hold_something():
    net = network()
    one, two, other = (windows(seed=seed).loss(net, 4) for seed in (1, 1, 2))
    assert one == two
    assert one != other
    assert windows(seed=1).loss(net, 5) != one
    for step in range(20):
        draw = torch.Generator().manual_seed(step)
        window = windows()._window(draw)
        assert tuple(window.inside.shape) == (5, 5, 5)
        assert window.inside.any()


def test_a_window_larger_than_the_lattice_is_the_lattice():
    window = windows(edge=99)._window(torch.Generator().manual_seed(0))
    assert tuple(window.inside.shape) == (9, 10, 8)


def test_cells_outside_teach_nothing():
    net, plain = network(), windows(batch=2)
    changed = [
        replace(one, codes=torch.where(one.inside, one.codes, one.codes + 2))
        for one in plain.fields
    ]
    other = replace(plain, fields=changed)
    assert not torch.equal(changed[0].codes, plain.fields[0].codes)
    assert plain.loss(net, 3).item() == pytest.approx(other.loss(net, 3).item(), rel=1e-5)
