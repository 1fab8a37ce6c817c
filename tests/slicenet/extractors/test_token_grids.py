import torch

from slicenet.extractors.orders import OrderSettings, orders
from slicenet.extractors.token_grids import TokenGrid, read

generator = torch.Generator().manual_seed(0)
TOKENS = torch.randint(9, (5, 3, 4), generator=generator)
INSIDE = torch.rand(5, 3, 4, generator=generator) > 0.4
INSIDE[2] = False
ORDERS = orders(OrderSettings(("raster", "snake", "hilbert", "random"), 8), (3, 4))


def test_tokens_of_the_brain_are_read_in_order_and_no_other_counts():
    for order in ORDERS:
        found = read(TOKENS, INSIDE, order)
        for row in range(5):
            wanted = [int(c) for c in order if INSIDE[row].flatten()[c]]
            count = int(found.known[row].sum())
            assert found.known[row, :count].all()
            assert found.cells[row, :count].tolist() == wanted
            assert found.tokens[row].tolist() == TOKENS[row].flatten()[found.cells[row]].tolist()


def test_the_longest_slice_tells_how_long_sequences_are():
    found = read(TOKENS, INSIDE, ORDERS[0])
    assert found.tokens.shape == (5, int(INSIDE.flatten(1).sum(1).max()))


def test_values_come_back_to_their_cells_and_nowhere_else():
    rest = torch.full((5, 3, 4), -1.0)
    for order in ORDERS:
        found = read(TOKENS, INSIDE, order)
        back = found.spread(found.tokens.float(), (3, 4), rest)
        assert torch.equal(back, torch.where(INSIDE, TOKENS.float(), rest))


def test_the_lattice_of_a_grid_is_that_of_the_volume():
    assert TokenGrid(TOKENS, INSIDE).lattice == (3, 4, 5)
