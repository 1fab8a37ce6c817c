import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors import slice_pool
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.planes import view
from slicenet.extractors.slice_pool import gather
from slicenet.extractors.usual import Usual
from slicenet.volume import Volume


def volume(value, shape=(32, 48, 12), spacing=(1.0, 2.0, 4.0)):
    voxels = torch.full((1, *shape), float(value))
    brain = torch.zeros(shape, dtype=torch.bool)
    brain[4:28, 4:40, 2:10] = True
    return Volume(voxels * brain, brain, np.diag([*spacing, 1.0]), f"v{value}")


def test_every_volume_gives_slices_that_show_brain():
    (pool,) = gather([volume(1), volume(2)], ["axial"], 8, 5, seed=0)
    assert pool.volume.tolist() == [0] * 5 + [1] * 5
    assert pool.voxels.shape == (10, 1, 32, 48)
    assert pool.brain.flatten(1).any(1).all()
    for index in range(2):
        inside = pool.voxels[pool.volume == index, 0][pool.brain[pool.volume == index]]
        assert (inside == index + 1).all()


def test_what_is_too_large_for_half_precision_stays_finite():
    (pool,) = gather([volume(1e6)], ["axial"], 8, 5, seed=0)
    assert pool.voxels.max() == 65504


def test_a_plane_tells_its_pixels_and_the_size_of_its_pictures():
    pools = gather([volume(1)], ["axial", "coronal", "sagittal"], 8, 3, seed=0)
    assert [pool.spacing for pool in pools] == [(1.0, 2.0), (1.0, 4.0), (2.0, 4.0)]
    assert [pool.size for pool in pools] == [(32, 48), (32, 48), (96, 48)]
    assert [pool.mirrors for pool in pools] == [True, True, False]


def test_pictures_are_those_of_scoring():
    one = volume(1)
    one.voxels[0] = torch.randn(32, 48, 12, generator=torch.Generator().manual_seed(0)) * one.brain
    (pool,) = gather([one], ["coronal"], 8, 100, seed=0)
    drawn = pool.pictures(PictureSettings())
    seen = view(one, "coronal", 8)
    wanted = seen.pictures(list(range(48)), PictureSettings())
    assert all((wanted - picture).abs().amax((1, 2, 3)).min() < 2e-3 for picture in drawn)


def test_truth_grows_with_the_pictures():
    (pool,) = gather([volume(1)], ["coronal"], 8, 100, seed=0)
    cover = pool.cover(torch.ones_like(pool.brain))
    assert cover.shape[1:] == (32, 48)
    assert torch.allclose(cover, torch.ones(()), atol=1e-5)


def test_what_is_drawn_follows_from_the_seed_and_does_not_repeat():
    (pool,) = gather([volume(1), volume(2)], ["axial"], 8, 8, seed=0)
    draws = [pool.draw(8, torch.Generator().manual_seed(seed)).voxels for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert len(pool.draw(100, torch.Generator())) == len(pool)


def test_memory_is_bounded_and_no_volume_is_left_out(monkeypatch):
    monkeypatch.setattr(slice_pool, "LARGEST", 32 * 48 * 10)
    (pool,) = gather([volume(index) for index in range(6)], ["axial"], 8, 8, seed=0)
    assert len(pool) <= 10
    assert set(pool.volume.tolist()) == set(range(6))


def test_no_volume_at_all_is_told():
    with pytest.raises(ConfigError, match="no volume"):
        gather([], ["axial"], 8, 8, seed=0)


def test_slices_bring_what_is_usual_in_all_other_brains():
    volumes = [volume(value) for value in (1, 2, 6)]
    (pool,) = gather(volumes, ["axial"], 8, 4, 0, Usual.of(volumes))
    for index, others in enumerate((4.0, 3.5, 1.5)):
        mine = pool.volume == index
        assert (pool.usual[mine, 0][pool.brain[mine]] == others).all()


def test_what_is_usual_stays_with_its_slice_when_drawn_and_turned():
    volumes = [volume(value) for value in (1, 2, 6)]
    (pool,) = gather(volumes, ["axial"], 8, 4, 0, Usual.of(volumes))
    drawn = pool.draw(5, torch.Generator().manual_seed(0))
    which = torch.tensor([True, False, True, False, False])
    turned = drawn.turned(which)
    settings = PictureSettings(usual=True)
    plain, found = drawn.pictures(settings), turned.pictures(settings)
    assert torch.equal(found[which], plain[which].flip(2))
    assert torch.equal(found[~which], plain[~which])
    assert not torch.equal(plain[:, 1], plain[:, 0])
