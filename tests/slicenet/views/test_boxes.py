import torch

from slicenet.views.boxes import cut, swap
from slicenet.views.settings import Chance

ALWAYS = Chance(1.0, 8.0)


def test_swapping_one_pair_twice_is_nothing_or_an_overlap(draws, space):
    voxels = torch.arange(20 * 24 * 16).float().reshape(1, 20, 24, 16)
    whole = 0
    for seed in range(20):
        once = swap(draws(seed), space, voxels, ALWAYS, 1)
        assert not torch.equal(once, voxels)
        moved = int((once != voxels).sum())
        if moved == 2 * 4 * 4 * 3:  # 8 mm are 4, 4 and 3 voxels: two boxes apart
            whole += 1
            assert torch.equal(once.sort().values.flatten().sort().values, voxels.flatten())
            assert torch.equal(swap(draws(seed), space, once, ALWAYS, 1), voxels)
    assert whole > 10


def test_a_cut_empties_boxes_no_longer_than_its_strength(draws, space):
    voxels = torch.ones(2, *space.shape)
    for seed in range(20):
        found = cut(draws(seed), space, voxels, ALWAYS, 1)
        gone = found == 0
        assert torch.equal(gone[0], gone[1])
        x, y, z = (gone[0].any(1).any(1), gone[0].any(0).any(1), gone[0].any(0).any(0))
        lengths = [int(line.sum()) for line in (x, y, z)]
        assert int(gone[0].sum()) == lengths[0] * lengths[1] * lengths[2]
        assert all(1 <= n <= most for n, most in zip(lengths, (4, 4, 3), strict=True))


def test_boxes_larger_than_the_space_fill_it(draws, space):
    voxels = torch.ones(1, *space.shape)
    assert (cut(draws(0), space, voxels, Chance(1.0, 4000.0), 1) == 0).all()


def test_the_given_brain_stays_as_it_is(draws, space):
    voxels = torch.ones(1, *space.shape)
    cut(draws(0), space, voxels, ALWAYS, 3), swap(draws(0), space, voxels, ALWAYS, 3)
    assert (voxels == 1).all()
