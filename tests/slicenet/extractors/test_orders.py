import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.orders import KINDS, TURNS, OrderSettings, order, orders

PLAIN = TURNS[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (6, 2)])
def test_every_cell_is_read_once(kind, turn, shape):
    found = order(kind, shape, turn)
    assert sorted(found.tolist()) == list(range(shape[0] * shape[1]))


def test_rows_one_after_the_other_and_every_other_one_backwards():
    assert order("raster", (2, 3), PLAIN).tolist() == [0, 1, 2, 3, 4, 5]
    assert order("snake", (3, 3), PLAIN).tolist() == [0, 1, 2, 5, 4, 3, 6, 7, 8]


def test_the_curve_of_hilbert_goes_from_neighbour_to_neighbour():
    for size in (4, 8, 16):
        path = order("hilbert", (size, size), PLAIN)
        steps = (path // size).diff().abs() + (path % size).diff().abs()
        assert (steps == 1).all()
        # And stays in a quarter until all of it was seen.
        first = path[: size * size // 4]
        assert len({(int(p) // size // (size // 2), int(p) % size // (size // 2)) for p in first}
                   ) == 1  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_is_that_of_the_grid(kind, turn):
    transposed, rows, columns = turn
    grid = torch.arange(15).reshape(3, 5)
    seen = grid.T if transposed else grid
    seen = seen.flip([axis for axis, flip in enumerate((rows, columns)) if flip])
    plain = order(kind, tuple(seen.shape), PLAIN)
    assert order(kind, (3, 5), turn).tolist() == seen.flatten()[plain].tolist()


@pytest.mark.parametrize("shape", [(4, 4), (4, 6), (3, 5)])
def test_all_orders_come_with_half_a_turn_before_any_other(shape):
    settings = OrderSettings(tuple(KINDS), 8)
    found, last = orders(settings, shape), shape[0] * shape[1] - 1
    assert found.shape == (8, last + 1)
    for plain, turned in zip(found[:4], found[4:], strict=True):
        rows, columns = np.unravel_index(plain.numpy(), shape)
        opposite = shape[0] - 1 - rows, shape[1] - 1 - columns
        assert turned.tolist() == np.ravel_multi_index(opposite, shape).tolist()
    assert (found[:3, 0] == 0).all()  # all but the random one begin in a corner
    assert (found[4:7, 0] == last).all()
    assert len(found.unique(dim=0)) == 8


def test_half_a_turn_is_backwards_for_rows_one_after_the_other_alone():
    found = orders(OrderSettings(("raster", "snake", "hilbert"), 6), (4, 6))
    backwards = [torch.equal(found[kind + 3], found[kind].flip(0)) for kind in range(3)]
    assert backwards == [True, False, False]


def test_there_are_as_many_as_grids_can_be_turned():
    found = orders(OrderSettings(("raster", "hilbert"), 16), (4, 4))
    assert len(found[::2].unique(dim=0)) == 8


@pytest.mark.parametrize(
    "wrong", [{"kinds": ()}, {"kinds": ("spiral",)}, {"count": 0}, {"count": 25}]
)
def test_what_is_no_order_is_refused(wrong):
    with pytest.raises(ConfigError):
        OrderSettings(**wrong)
