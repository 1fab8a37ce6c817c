import pytest
import torch

from slicenet.views.boxes import cut, swap
from slicenet.views.settings import Chance

ALWAYS = Chance(1.0, 8.0)


@pytest.fixture
def whole(space):
    """A brain that fills its space."""
    return torch.ones(space.shape, dtype=torch.bool)


def test_swapping_one_pair_twice_is_nothing_or_an_overlap(draws, space, whole):
    voxels = torch.arange(20 * 24 * 16).float().reshape(1, 20, 24, 16)
    apart = 0
    for seed in range(20):
        once = swap(draws(seed), space, (voxels, whole), ALWAYS, 1)
        assert not torch.equal(once, voxels)
        moved = int((once != voxels).sum())
        if moved == 2 * 4 * 4 * 3:  # 8 mm are 4, 4 and 3 voxels: two boxes apart
            apart += 1
            assert torch.equal(once.sort().values.flatten().sort().values, voxels.flatten())
            assert torch.equal(swap(draws(seed), space, (once, whole), ALWAYS, 1), voxels)
    assert apart > 10


def test_a_cut_empties_boxes_no_longer_than_its_strength(draws, space, whole):
    voxels = torch.ones(2, *space.shape)
    for seed in range(20):
        found = cut(draws(seed), space, (voxels, whole), ALWAYS, 1)
        gone = found == 0
        assert torch.equal(gone[0], gone[1])
        x, y, z = (gone[0].any(1).any(1), gone[0].any(0).any(1), gone[0].any(0).any(0))
        lengths = [int(line.sum()) for line in (x, y, z)]
        assert int(gone[0].sum()) == lengths[0] * lengths[1] * lengths[2]
        assert all(1 <= n <= most for n, most in zip(lengths, (4, 4, 3), strict=True))


def test_boxes_larger_than_the_space_fill_it(draws, space, whole):
    voxels = torch.ones(1, *space.shape)
    assert (cut(draws(0), space, (voxels, whole), Chance(1.0, 4000.0), 1) == 0).all()


def test_the_given_brain_stays_as_it_is(draws, space, whole):
    voxels = torch.ones(1, *space.shape)
    (
        cut(draws(0), space, (voxels, whole), ALWAYS, 3),
        swap(draws(0), space, (voxels, whole), ALWAYS, 3),
    )
    assert (voxels == 1).all()


def test_every_box_meets_the_brain_and_none_leaves_the_space(draws, space):
    brain = torch.zeros(space.shape, dtype=torch.bool)
    brain[:2, 20:, 7] = True  # in a corner
    near = torch.zeros_like(brain)
    near[:5, 17:, 5:10] = True  # less than a box of 4, 4 and 3 voxels away
    voxels = 1 + torch.arange(20 * 24 * 16).float().reshape(1, 20, 24, 16)
    for seed in range(20):
        gone = cut(draws(seed), space, (voxels, brain), ALWAYS, 1)[0] == 0
        assert (gone & brain).any()
        assert not (gone & ~near).any()
        moved = swap(draws(seed), space, (voxels, brain), ALWAYS, 1)[0] != voxels[0]
        assert not (moved & ~near).any()


def test_without_a_brain_there_is_nothing_to_change(draws, space, whole):
    voxels = torch.ones(1, *space.shape)
    for change in (swap, cut):
        assert torch.equal(change(draws(0), space, (voxels, ~whole), ALWAYS, 3), voxels)
