from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slicenet.metrics.histogram import Histogram
from slicenet.metrics.ranking import rank

VOLUMES = st.lists(
    st.lists(st.tuples(st.floats(-9, 9, width=32), st.booleans()), min_size=1, max_size=30),
    min_size=1,
    max_size=5,
)


def _histogram(voxels) -> Histogram:
    scores, truth = zip(*voxels, strict=True)
    return rank(np.array(scores, np.float32), np.array(truth)).histogram()


def _same(one: Histogram, two: Histogram) -> bool:
    names = ("keys", "positives", "negatives", "shift")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def _joined(parts: list[Histogram], bins: int) -> Histogram:
    return reduce(lambda total, part: total.plus(part, bins), parts[1:], parts[0].within(bins))


@given(VOLUMES, st.integers(2, 12))
def test_the_order_of_volumes_does_not_matter(volumes, bins):
    parts = [_histogram(voxels) for voxels in volumes]
    assert _same(_joined(parts, bins), _joined(parts[::-1], bins))


@given(VOLUMES, st.integers(2, 12))
def test_one_volume_after_another_is_all_voxels_at_once(volumes, bins):
    everything = _histogram([voxel for voxels in volumes for voxel in voxels])
    assert _same(_joined([_histogram(v) for v in volumes], bins), everything.within(bins))


@given(VOLUMES, st.integers(2, 12))
def test_bins_stay_within_their_number_and_lose_no_voxel(volumes, bins):
    total = _joined([_histogram(voxels) for voxels in volumes], bins)
    labels = [label for voxels in volumes for _, label in voxels]
    assert len(total.keys) <= bins
    assert total.positives.sum() == sum(labels)
    assert total.negatives.sum() == len(labels) - sum(labels)
    assert (np.diff(total.keys.astype(np.int64)) > 0).all()


def test_the_shift_is_the_smallest_that_does():
    scores = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    fine = rank(scores, scores > 1).histogram()
    coarse = fine.within(100)
    assert len(fine.at(coarse.shift - 1).keys) > 100 >= len(coarse.keys)


def test_few_distinct_scores_are_never_binned_together():
    scores = np.float32(1000) + np.arange(50, dtype=np.float32) * np.float32(2**-13)
    total = rank(scores, scores > 1000).histogram().within(64)
    assert total.shift == 0
    assert len(total.keys) == 50


def test_the_curve_counts_from_the_highest_bin():
    curve = Histogram(np.array([1, 5], np.uint32), np.array([2, 3]), np.array([7, 1])).curve()
    assert curve.hits.tolist() == [3, 5]
    assert curve.alarms.tolist() == [1, 8]
