import math

import pytest
import torch

from slicenet.flows.position import PLANE, VOLUME, position_code, with_global_code


def test_the_code_of_a_plane_is_the_published_one_element_by_element():
    code = position_code((5, 4), PLANE)
    assert code.shape == (5, 4, 128)
    for x in range(5):
        for y in range(4):
            expected = [0.0] * 128
            for j in range(32):
                rate = 10000 ** (-2 * j / 64)
                expected[2 * j] = math.sin(x * rate)
                expected[2 * j + 1] = math.cos(x * rate)
                expected[64 + 2 * j] = math.sin(y * rate)
                expected[64 + 2 * j + 1] = math.cos(y * rate)
            assert code[x, y].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("channels", [VOLUME, (4, 0, 10)])
def test_the_code_of_a_volume_gives_each_axis_its_share(channels):
    cells = (3, 2, 4)
    code = position_code(cells, channels)
    assert code.shape == (*cells, sum(channels))
    for place in torch.cartesian_prod(*map(torch.arange, cells)).tolist():
        expected = []
        for along, share in zip(place, channels, strict=True):
            for j in range(share // 2):
                phase = along / 10000 ** (2 * j / share)
                expected += [math.sin(phase), math.cos(phase)]
        assert code[tuple(place)].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_usual_shares_make_128_channels():
    assert sum(PLANE) == sum(VOLUME) == 128


def test_the_code_of_a_volume_says_which_slice_and_that_of_a_plane_does_not():
    code = position_code((3, 3, 5), VOLUME)
    assert torch.equal(code[..., 0, :96], code[..., 4, :96])
    assert not torch.equal(code[..., 0, 96:], code[..., 4, 96:])


def test_no_two_cells_share_a_code():
    code = position_code((24, 24, 32), VOLUME).flatten(0, 2)
    assert len(torch.unique(code, dim=0)) == len(code)
    assert code.abs().max() <= 1


def test_shares_that_hold_no_whole_pairs_are_refused():
    with pytest.raises(ValueError, match=r"even, got \(4, 3\)"):
        position_code((4, 4), (4, 3))


def test_the_code_of_the_volume_follows_that_of_each_cell():
    code, whole = position_code((3, 2, 4), VOLUME), torch.arange(5.0).double()
    both = with_global_code(code, whole)
    assert both.shape == (3, 2, 4, 133)
    assert both.dtype == code.dtype
    assert torch.equal(both[..., :128], code)
    assert all(torch.equal(one, whole.float()) for one in both[..., 128:].flatten(0, 2))
    assert with_global_code(code.flatten(0, 2), whole).shape == (24, 133)
