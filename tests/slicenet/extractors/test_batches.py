import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.batches import Batches
from slicenet.extractors.pictures import PictureSettings

PICTURE = PictureSettings()


def test_a_step_always_sees_the_same_and_another_step_or_seed_does_not(make_pool):
    pools = [make_pool()]
    first, second = Batches(pools, PICTURE, 4, 0, 16, 3), Batches(pools, PICTURE, 4, 0, 16, 4)
    again = Batches(pools, PICTURE, 4, 0, 16, 3)
    assert torch.equal(first.at(5).pictures, again.at(5).pictures)
    assert not torch.equal(first.at(5).pictures, first.at(6).pictures)
    assert not torch.equal(first.at(5).pictures, second.at(5).pictures)


def test_planes_take_turns(make_pool):
    batches = Batches([make_pool(), make_pool(size=(96, 64))], PICTURE, 4, 99, 16, 0)
    assert [batches.at(step).pool for step in range(4)] == [0, 1, 0, 1]
    assert batches.at(1).pictures.shape == (4, 3, 96, 64)


def test_the_window_is_whole_cells_and_holds_every_brain(make_pool):
    pool = make_pool(size=(128, 128))
    pool.brain[:, :50] = False
    batch = Batches([pool], PICTURE, 4, 0, 32, 0).at(0)
    assert all(edge % 32 == 0 for edge in batch.pictures.shape[2:])
    assert batch.pictures.shape[2] < 128
    assert batch.brain.shape[1:] == batch.pictures.shape[2:]
    assert batch.brain.sum() == 4 * pool.brain[0].sum()
    assert batch.crop.rows.start == 32


def test_one_slice_is_too_few(make_pool):
    with pytest.raises(ConfigError, match="two slices"):
        Batches([make_pool(), make_pool(count=1)], PICTURE, 4, 0, 16, 0)
