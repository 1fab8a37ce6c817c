import pytest
import torch

from slicenet.extractors.crops import Crop, around


@pytest.mark.parametrize("margin", [0, 5, 16, 100])
def test_the_window_holds_what_is_filled_its_margin_and_whole_cells(margin):
    filled = torch.zeros(64, 56, dtype=torch.bool)
    filled[20:33, 50] = True
    crop = around(filled, margin, 16)
    for span, first, last, size in ((crop.rows, 20, 32, 64), (crop.columns, 50, 50, 56)):
        assert span.start % 16 == 0
        assert len(span) % 16 == 0
        assert max(first - margin, 0) - 16 < span.start <= max(first - margin, 0)
        assert span.stop > min(last + margin, size - 1)


def test_beyond_the_picture_there_is_what_is_outside():
    pictures = torch.rand(2, 3, 40, 24)
    part = Crop(range(32, 48), range(16, 32)).cut(pictures, 0.25)
    assert part.shape == (2, 3, 16, 16)
    assert torch.equal(part[:, :, :8, :8], pictures[:, :, 32:, 16:])
    assert (part[:, :, 8:] == 0.25).all()
    assert (part[:, :, :, 8:] == 0.25).all()


def test_cells_return_to_their_places_and_the_rim_goes_on():
    lattice = torch.rand(1, 2, 5, 3)  # of a picture of 40 x 24
    crop = Crop(range(16, 48), range(0, 32))
    window = torch.rand(1, 2, 4, 4)
    window[:, :, :3, :3] = lattice[:, :, 2:]
    spread = crop.spread(window, 8, (5, 3))
    assert torch.equal(spread[:, :, 2:], lattice[:, :, 2:])
    assert torch.equal(spread[:, :, 0], lattice[:, :, 2])
