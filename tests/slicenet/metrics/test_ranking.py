import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from slicenet.metrics.curve import area_until
from slicenet.metrics.ranking import ordered_bits, rank

FLOATS = st.floats(width=32, allow_nan=False)


@given(st.lists(FLOATS, min_size=1, max_size=50))
def test_ordered_bits_order_and_tie_as_the_floats_do(values):
    scores = np.array(values, np.float32)
    bits = ordered_bits(scores)
    assert np.array_equal(bits[:, None] < bits[None], scores[:, None] < scores[None])
    assert np.array_equal(bits[:, None] == bits[None], scores[:, None] == scores[None])


def test_negative_zero_ties_with_zero():
    ranking = rank(np.array([-0.0, 0.0, -0.0, 0.0], np.float32), np.array([1, 0, 0, 1]))
    assert len(ranking.keys) == 1
    assert ranking.curve.auroc() == 0.5


def test_many_voxels_agree_with_scikit_learn():
    generator = np.random.default_rng(1)
    truth = generator.random(200_000) < 0.01
    scores = (generator.normal(size=truth.size) + truth).astype(np.float32)
    curve = rank(scores, truth).curve
    assert curve.auroc() == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    expected = average_precision_score(truth, scores)
    assert curve.average_precision() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [0, 2])
def test_aupro_is_the_area_under_the_mean_overlap_of_each_component(make_case, levels):
    case = make_case(5, lesions=4, levels=levels)
    inside = case.brain
    scores, truth = case.scores[inside], case.truth & inside
    numbers, count = ndimage.label(truth, np.ones((3, 3, 3)))
    assert count > 1
    rates, overlaps = [], []
    for level in np.unique(scores)[::-1]:
        mask = (case.scores >= level) & inside
        rates.append((mask & ~truth).sum() / (inside & ~truth).sum())
        parts = [(mask & (numbers == k)).sum() / (numbers == k).sum() for k in range(1, count + 1)]
        overlaps.append(np.mean(parts))
    # The area by hand: a dense grid of the interpolated curve.
    grid = np.linspace(0, 0.3, 200_001)
    heights = np.interp(grid, [0, *rates], [0, *overlaps])
    ranking = rank(scores, numbers[inside])
    assert ranking.aupro(0.3) == pytest.approx(np.trapezoid(heights, grid) / 0.3, abs=1e-4)
    exact = area_until(np.array(rates), np.array(overlaps), 0.3)
    assert ranking.aupro(0.3) == pytest.approx(float(exact), abs=1e-12)


def test_of_one_lesion_aupro_is_the_partial_auroc(make_case):
    case = make_case(2, lesions=1)
    lesion = (case.truth & case.brain)[case.brain]
    ranking = rank(case.scores[case.brain], lesion)
    assert ranking.aupro(0.3) == pytest.approx(float(ranking.curve.auroc(0.3)), abs=1e-12)


def test_small_lesions_weigh_as_much_as_large_ones_in_aupro_only():
    # The large lesion is on top, the small one at the bottom.
    scores = np.arange(100, 0, -1).astype(np.float32)
    lesion = np.zeros(100, int)
    lesion[:40], lesion[-1] = 1, 2
    ranking = rank(scores, lesion)
    assert ranking.aupro(0.3) == pytest.approx(0.5)
    assert ranking.curve.auroc() == pytest.approx(40 / 41)


def test_a_constant_map_has_the_figures_of_chance():
    ranking = rank(np.full(50, 3.0, np.float32), np.arange(50) < 5)
    assert ranking.curve.auroc() == 0.5
    assert ranking.curve.average_precision() == pytest.approx(0.1)
    assert ranking.aupro(0.3) == pytest.approx(0.15)


def test_a_single_lesion_voxel_has_the_closed_form():
    scores = np.arange(11).astype(np.float32)
    ranking = rank(scores, scores == 7)
    assert ranking.curve.auroc() == pytest.approx(0.7)
    assert ranking.curve.average_precision() == pytest.approx(1 / 4)
    assert ranking.curve.best_dice() == pytest.approx(2 / 5)


def test_without_lesion_or_without_anything_else_there_is_no_aupro():
    scores = np.arange(5).astype(np.float32)
    assert np.isnan(rank(scores, np.zeros(5, int)).aupro(0.3))
    assert np.isnan(rank(scores, np.ones(5, int)).aupro(0.3))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40))
def test_the_histogram_counts_every_distinct_score(voxels):
    scores, truth = (np.array(side) for side in zip(*voxels, strict=True))
    histogram = rank(scores.astype(np.float32), truth).histogram()
    levels = np.unique(scores)
    assert np.array_equal(histogram.keys, ordered_bits(levels.astype(np.float32)))
    assert histogram.positives.tolist() == [(truth & (scores == level)).sum() for level in levels]
    assert histogram.negatives.tolist() == [(~truth & (scores == level)).sum() for level in levels]
