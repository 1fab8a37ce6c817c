import torch

from slicenet.extractors.shelf import Shelf


def test_what_is_put_on_a_shelf_comes_back_in_any_order(make_brain):
    volumes = [make_brain(seed, sequences=2) for seed in range(3)]
    with Shelf(iter(volumes)) as shelf:
        assert len(shelf) == 3
        assert shelf.shape == tuple(volumes[0].voxels.shape)
        assert shelf.spacing == tuple(volumes[0].spacing.tolist())
        for index in (2, 0, 1, 2):
            voxels, brain = shelf[index]
            assert torch.equal(voxels, volumes[index].voxels.half().float())
            assert torch.equal(brain, volumes[index].brain)


def test_what_is_too_large_for_half_precision_stays_finite(make_brain):
    volume = make_brain(0)
    volume.voxels[0, 20, 24:26, 20] = torch.tensor([1e6, -1e6])
    with Shelf([volume]) as shelf:
        voxels, _ = shelf[0]
    assert torch.isfinite(voxels).all()
    assert voxels[0, 20, 24:26, 20].tolist() == [65504, -65504]


def test_all_of_a_shelf_can_be_read_where_it_lies(make_brain):
    # An odd number of voxels, so that no volume after the first begins on an even byte.
    volumes = [make_brain(seed, sequences=2, shape=(5, 7, 3)) for seed in range(3)]
    with Shelf(volumes) as shelf:
        voxels, brain = shelf.mapped()
        for index, volume in enumerate(volumes):
            assert torch.equal(torch.from_numpy(voxels[index].copy()), volume.voxels.half())
            assert torch.equal(torch.from_numpy(brain[index].copy()), volume.brain)
