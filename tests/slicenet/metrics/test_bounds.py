import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from slicenet.metrics.bounds import (
    bounded_auroc,
    bounded_average_precision,
    bounded_best_dice,
)
from slicenet.metrics.ranking import rank

VOXELS = st.lists(
    st.tuples(st.floats(-4, 4, width=32), st.booleans()), min_size=2, max_size=80
).filter(lambda voxels: len({label for _, label in voxels}) == 2)
ALL = {
    "auroc": (bounded_auroc, lambda curve: curve.auroc()),
    "auroc30": (lambda histogram: bounded_auroc(histogram, 0.3), lambda curve: curve.auroc(0.3)),
    "average precision": (bounded_average_precision, lambda curve: curve.average_precision()),
    "best Dice": (bounded_best_dice, lambda curve: curve.best_dice()),
}


@pytest.mark.parametrize("name", ALL)
@given(voxels=VOXELS, bins=st.integers(2, 30))
def test_the_exact_figure_lies_within_the_bounds(name, voxels, bins):
    scores, truth = (np.array(side) for side in zip(*voxels, strict=True))
    ranking = rank(scores.astype(np.float32), truth)
    bounded, exact = ALL[name]
    found = bounded(ranking.histogram().within(bins))
    assert found.low - 1e-12 <= exact(ranking.curve) <= found.high + 1e-12
    assert found.low - 1e-12 <= found.value <= found.high + 1e-12
    assert abs(found.value - exact(ranking.curve)) <= found.error + 1e-12


@pytest.mark.parametrize("name", ALL)
def test_a_bin_for_each_score_leaves_no_error(name):
    generator = np.random.default_rng(0)
    ranking = rank(generator.normal(size=500).astype(np.float32), generator.random(500) < 0.2)
    bounded, exact = ALL[name]
    found = bounded(ranking.histogram())
    assert found.error == 0
    assert found.value == pytest.approx(float(exact(ranking.curve)), abs=1e-12)


def test_the_error_of_auroc_is_half_the_pairs_that_share_a_bin():
    generator = np.random.default_rng(1)
    truth = generator.random(4000) < 0.1
    scores = (generator.normal(size=4000) + truth).astype(np.float32)
    histogram = rank(scores, truth).histogram().within(50)
    pairs = (histogram.positives * histogram.negatives).sum() / (truth.sum() * (~truth).sum())
    assert bounded_auroc(histogram).error == pytest.approx(pairs / 2)


def test_some_thousand_bins_leave_little_to_doubt():
    generator = np.random.default_rng(2)
    truth = generator.random(300_000) < 0.02
    scores = (generator.normal(size=truth.size) + 2 * truth).astype(np.float32)
    histogram = rank(scores, truth).histogram().within(2**14)
    assert histogram.shift > 0
    auroc, precision = bounded_auroc(histogram), bounded_average_precision(histogram)
    assert auroc.value == pytest.approx(roc_auc_score(truth, scores), abs=auroc.error)
    assert precision.value == pytest.approx(
        average_precision_score(truth, scores), abs=precision.error
    )
    assert auroc.error < 1e-4
    assert precision.error < 0.01
