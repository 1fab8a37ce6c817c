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
