import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from slicenet.metrics.curve import Curve, area_until, share

# Seven levels of score for up to 60 voxels: ties everywhere.
VOXELS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
    lambda voxels: len({label for _, label in voxels}) == 2
)


def _curve(scores: np.ndarray, truth: np.ndarray) -> Curve:
    """Counted threshold by threshold."""
    levels = np.unique(scores)[::-1]
    hits = [(truth & (scores >= level)).sum() for level in levels]
    alarms = [(~truth & (scores >= level)).sum() for level in levels]
    return Curve(np.array(hits), np.array(alarms))


def _split(voxels):
    scores, truth = zip(*voxels, strict=True)
    return np.array(scores), np.array(truth)


@given(VOXELS)
def test_auroc_and_average_precision_are_those_of_scikit_learn(voxels):
    scores, truth = _split(voxels)
    curve = _curve(scores, truth)
    assert curve.auroc() == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert curve.average_precision() == pytest.approx(
        average_precision_score(truth, scores), abs=1e-12
    )


@given(VOXELS, st.floats(0.01, 0.99))
def test_a_partial_area_is_the_one_that_scikit_learn_standardises(voxels, limit):
    scores, truth = _split(voxels)
    # McClish: 1/2 (1 + (area - least) / (most - least)), with area up to the limit.
    least, most = limit**2 / 2, limit
    standard = roc_auc_score(truth, scores, max_fpr=limit)
    area = least + (2 * standard - 1) * (most - least)
    assert _curve(scores, truth).auroc(limit) == pytest.approx(area / limit, abs=1e-9)


@given(VOXELS)
def test_best_dice_is_the_best_of_all_thresholds(voxels):
    scores, truth = _split(voxels)
    masks = [scores >= level for level in np.unique(scores)]
    dice = [2 * (mask & truth).sum() / (mask.sum() + truth.sum()) for mask in masks]
    assert _curve(scores, truth).best_dice() == pytest.approx(max(dice))


@given(VOXELS)
def test_the_trapezoid_is_the_area_that_scikit_learn_warns_of(voxels):
    scores, truth = _split(voxels)
    precision, recall, _ = precision_recall_curve(truth, scores)
    area = _curve(scores, truth).trapezoid_precision()
    assert area == pytest.approx(auc(recall, precision), abs=1e-12)


def test_many_curves_at_once_are_each_curve_alone():
    generator = np.random.default_rng(0)
    hits = np.cumsum(generator.integers(0, 5, (4, 30)), -1)
    alarms = np.cumsum(generator.integers(0, 9, (4, 30)), -1)
    together = Curve(hits, alarms)
    for name in ("auroc", "average_precision", "best_dice", "trapezoid_precision"):
        alone = [getattr(Curve(*pair), name)() for pair in zip(hits, alarms, strict=True)]
        assert getattr(together, name)() == pytest.approx(np.array(alone))


def test_figures_without_lesion_or_without_anything_else_do_not_exist():
    no_lesion = Curve(np.array([0, 0]), np.array([1, 5]))
    only_lesion = Curve(np.array([1, 5]), np.array([0, 0]))
    assert np.isnan(no_lesion.auroc())
    assert np.isnan(no_lesion.average_precision())
    assert np.isnan(no_lesion.best_dice())
    assert np.isnan(only_lesion.auroc())
    assert only_lesion.average_precision() == only_lesion.best_dice() == 1


def test_the_line_that_crosses_the_limit_is_cut_there():
    # From (0, 0) straight to (1, 1): the area up to 0.3 is a triangle.
    assert area_until(np.array([1.0]), np.array([1.0]), 0.3) == pytest.approx(0.3**2 / 2 / 0.3)
    # A step up exactly at the limit adds nothing, one just before it does.
    assert area_until(np.array([0.3, 0.3, 1]), np.array([0, 1, 1]), 0.3) == 0
    assert area_until(np.array([0, 1]), np.array([1, 1]), 0.3) == pytest.approx(1)


def test_a_share_of_nothing_is_nan_without_a_warning():
    assert np.array_equal(share(np.array([1, 0]), np.array([2, 0])), [0.5, np.nan], equal_nan=True)
