import math
import tracemalloc

import numpy as np
import pytest
import torch

from slicenet.extractors.score_patches import PLACES, Patches, around, cut_out, told
from slicenet.extractors.shelf import Shelf

SHAPE = (20, 24, 16)


@pytest.fixture
def shelf(make_brain):
    with Shelf([make_brain(seed, shape=SHAPE, sequences=2) for seed in range(3)]) as made:
        yield made


def patches(shelf, axes=3, edge=8, among=(0, 2), places=True):
    return Patches(shelf, among, axes, edge, 6, places, 0)


@pytest.mark.parametrize(("axes", "edge"), [(3, 8), (3, 32), (2, 8), (2, 32)])
def test_patches_are_of_one_size_and_hold_brain(shelf, axes, edge):
    batch = patches(shelf, axes, edge).at(0)
    assert batch.values.shape == (6, 2, *[edge] * axes)
    assert batch.context.shape == (6, 1 + PLACES, *[edge] * axes)
    assert batch.weight.shape == (6, 1, *[edge] * axes)
    assert (batch.weight.flatten(1).sum(1) > 0).all()
    assert torch.equal(batch.context[:, :1], batch.weight)
    assert (batch.values[(batch.weight == 0).expand_as(batch.values)] == 0).all()


@pytest.mark.parametrize("axes", [2, 3])
def test_a_patch_is_a_part_of_a_brain_that_was_named(shelf, axes):
    batch = patches(shelf, axes, among=(1,)).at(0)
    known = shelf[1][0]
    for patch in batch.values[:, 0]:
        parts = known[0].unfold(0, 8, 1).unfold(1, 8, 1)  # [x, y, Z, 8, 8]
        parts = parts.unfold(2, 8, 1) if axes == 3 else parts
        assert (parts == patch).flatten(3).all(-1).any()


def test_all_voxels_of_a_brain_have_their_number_in_the_order_of_memory(shelf):
    places = shelf[2][1].nonzero().tolist()
    found = [patches(shelf)._voxel(2, number) for number in range(0, len(places), 7)]
    assert found == places[::7]


def test_a_step_reads_its_patches_and_no_whole_volume(make_brain):
    with Shelf([make_brain(seed, sequences=2) for seed in range(2)]) as shelf:
        seen = patches(shelf, among=(0, 1))
        seen.at(0)  # what is read once
        tracemalloc.start()
        try:
            seen.at(1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 2 * np.prod(shelf.shape) / 2  # of NumPy's, in bytes; half a volume as it is kept


def test_batches_follow_from_seed_and_step(shelf):
    first, again, other = (patches(shelf).at(step).values for step in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_scale_is_that_of_the_brains_named(shelf):
    values = torch.cat([shelf[index][0][:, shelf[index][1]].flatten() for index in (0, 2)])
    wanted = values.double().square().mean().sqrt().item()
    assert patches(shelf).scale().item() == pytest.approx(wanted, rel=1e-5)


def test_places_are_told_from_end_to_end_of_the_frame(shelf):
    _, brain = shelf[0]
    whole = told(brain, [slice(0, size) for size in SHAPE], SHAPE, True)
    assert whole.shape == (1 + PLACES, *SHAPE)
    sine, cosine = whole[1, :, 0, 0], whole[2, :, 0, 0]  # a quarter turn from the middle
    torch.testing.assert_close(sine[[0, -1]], torch.tensor([-1.0, 1.0]))
    torch.testing.assert_close(sine.square() + cosine.square(), torch.ones(20))
    assert math.isclose(float(cosine[9:11].mean()), 1, abs_tol=0.01)
    window = [slice(3, 9), slice(-2, 6), slice(10, 20)]
    _, part = cut_out(torch.zeros(1, *SHAPE), brain, window)
    again = told(part, window, SHAPE, True)
    torch.testing.assert_close(again[:, :, 2:, :6], whole[:, 3:9, :6, 10:])
    assert len(told(brain, [slice(0, size) for size in SHAPE], SHAPE, False)) == 1


def test_a_window_around_a_brain_is_of_whole_units_and_holds_all_of_it(shelf):
    voxels, brain = shelf[0]
    window = around(brain, 4, (8, 8, 1))
    sizes = [part.stop - part.start for part in window]
    assert [size % step for size, step in zip(sizes, (8, 8, 1), strict=True)] == [0, 0, 0]
    cut, inside = cut_out(voxels, brain, window)
    assert list(inside.shape) == sizes
    assert torch.equal(cut[:, inside], voxels[:, brain])  # in the same order
