import math

import pytest
import torch

from slicenet.flows.position import sincos_2d


def test_every_number_is_the_sinusoid_of_its_row_or_column():
    channels, height, width = 12, 4, 5
    code = sincos_2d(channels, height, width)
    for row in range(height):
        for column in range(width):
            for k in range(3):
                rate = 10000 ** (-k / 3)
                expected = [
                    math.sin(column * rate),
                    math.cos(column * rate),
                    math.sin(row * rate),
                    math.cos(row * rate),
                ]
                got = [float(code[row, column, part * 3 + k]) for part in range(4)]
                assert got == pytest.approx(expected, abs=1e-6)


def test_the_code_is_a_plane_of_vectors_within_one():
    code = sincos_2d(16, 6, 9)
    assert code.shape == (6, 9, 16)
    assert code.abs().max() <= 1


def test_no_two_cells_share_a_code():
    code = sincos_2d(32, 28, 28).flatten(0, 1)
    apart = torch.cdist(code.double(), code.double()) + torch.eye(len(code)) * 9
    assert apart.min() > 0.1


def test_channels_that_do_not_split_in_four_are_refused():
    with pytest.raises(ValueError, match="multiple of 4, got 6"):
        sincos_2d(6, 4, 4)
