import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.lattice import check_deep, check_whole, pool, strides, touching
from slicenet.volume import Volume


def test_pooling_averages_the_brain_of_a_cell_only():
    rng = np.random.default_rng(0)
    values, brain = rng.random((2, 4, 6, 8)).astype(np.float32), rng.random((4, 6, 8)) > 0.3
    pooled = pool(torch.from_numpy(values), torch.from_numpy(brain), (2, 3, 4))
    for x, y, z in np.ndindex(2, 2, 2):
        cell = np.s_[2 * x : 2 * x + 2, 3 * y : 3 * y + 3, 4 * z : 4 * z + 4]
        for channel in range(2):
            wanted = values[channel][cell][brain[cell]].mean()
            assert float(pooled[channel, x, y, z]) == pytest.approx(wanted, rel=1e-5)


def test_a_cell_counts_when_half_of_it_is_brain():
    brain = torch.zeros(4, 2, 2, dtype=torch.bool)
    brain[0] = True  # half of the first cell
    brain[2, 0, 0] = True  # an eighth of the second
    assert touching(brain, (2, 2, 2)).flatten().tolist() == [True, False]
    assert touching(brain, (2, 2, 2), 0.1).flatten().tolist() == [True, True]


def test_a_thin_brain_is_not_lost_in_large_cells():
    brain = torch.zeros(4, 4, 8, dtype=torch.bool)
    brain[:, :, 3] = True
    assert touching(brain, (2, 2, 4)).any()


@pytest.mark.parametrize(
    ("spacing", "cell", "wanted"),
    [((1, 1, 2), 2.0, (2, 2, 1)), ((2, 2, 2), 4.0, (2, 2, 2)), ((4, 4, 4), 2.0, (1, 1, 1))],
)
def test_strides_follow_millimetres_and_divide_the_box(spacing, cell, wanted):
    brain = torch.ones(48, 56, 24, dtype=torch.bool)
    volume = Volume(brain[None].float(), brain, np.diag([*spacing, 1.0]), "box")
    assert strides(volume, cell) == wanted


def test_a_frame_of_part_cells_is_refused_with_what_would_do():
    check_whole((48, 56, 40), (8, 8, 5))
    with pytest.raises(ConfigError, match="44 voxels along y are not whole cells of 8; 40 or 48"):
        check_whole((48, 44, 40), (8, 8, 5))


def test_pictures_are_refused_where_depth_is_needed():
    check_deep(2, "it needs three dimensions")
    with pytest.raises(ConfigError, match="it needs three dimensions: a picture has two") as caught:
        check_deep(1, "it needs three dimensions")
    assert caught.value.code == "E_FLAT"
