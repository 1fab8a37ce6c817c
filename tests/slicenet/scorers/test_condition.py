import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from slicenet.flows.position import PLANE, VOLUME, position_code
from slicenet.scorers.condition import directions, global_code, place_codes, summary

LATTICE = (3, 4, 5)


def test_a_cell_is_told_where_it_lies_in_the_volume_or_in_its_plane_only():
    volume = place_codes("volume", LATTICE).view(*LATTICE, -1)
    assert torch.equal(volume[1, 2, 3], position_code(LATTICE, VOLUME)[1, 2, 3])
    plane = place_codes("plane", LATTICE).view(*LATTICE, -1)
    assert torch.equal(plane[1, 2, 0], plane[1, 2, 4])
    assert torch.equal(plane[1, 2, 4], position_code(LATTICE[:2], PLANE)[1, 2])
    assert place_codes("none", LATTICE).shape == (60, 0)


def test_the_global_code_is_a_whitened_pca_of_what_volumes_have_in_common():
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(20, 6, generator=generator, dtype=torch.float64)
    spreads = torch.rand(20, 6, generator=generator, dtype=torch.float64) + 0.5
    whole = summary(means, spreads, means.mean(0), spreads.mean(0))
    along = directions(whole, 4)
    codes = global_code(whole, whole.mean(0), along).numpy()
    wanted = PCA(4, whiten=True).fit_transform(whole.numpy()) * np.sqrt(20 / 19)
    for column in range(4):
        sign = np.sign(codes[:, column] @ wanted[:, column])
        assert np.allclose(codes[:, column], np.clip(sign * wanted[:, column], -3, 3), atol=1e-4)


def test_there_are_no_more_directions_than_volumes_allow():
    whole = torch.randn(3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert directions(whole, 16).shape == (8, 2)
    assert directions(whole[:1], 16).shape == (8, 0)


@pytest.mark.parametrize("factor", [1e3, -1e3])
def test_a_volume_far_from_all_is_not_told_farther_than_the_farthest(factor):
    whole = torch.randn(9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    code = global_code(whole[:1] * factor, whole.mean(0), directions(whole, 4))
    assert code.abs().max() == 3
