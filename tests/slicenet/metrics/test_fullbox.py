from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score

from slicenet.metrics.fullbox import full_box
from slicenet.metrics.ranking import rank


@pytest.mark.parametrize("levels", [0, 2])
def test_figures_are_those_of_the_whole_grid_with_air_at_the_lowest_score(make_case, levels):
    case = make_case(4, levels=levels)
    truth = case.truth.copy()
    truth[0, 0, :3] = True  # the paper's box knows no brain mask, so this counts
    box = replace(case, truth=truth).crop()
    ranking = rank(box.scores[box.brain], box.truth[box.brain])
    found = full_box(ranking, box.air, box.truth_outside)
    scores = np.where(case.brain, case.scores, case.scores[case.brain].min()).ravel()
    labels = truth.ravel()
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    dice = [2 * (labels & (scores >= t)).sum() / ((scores >= t).sum() + labels.sum())
            for t in thresholds]  # fmt: skip
    assert found == pytest.approx(
        {
            "paper_fullbox_auroc": roc_auc_score(labels, scores),
            "paper_fullbox_auprc": auc(recall, precision),
            "paper_fullbox_oracle_dice": max(dice),
        }
    )


def test_more_air_makes_a_better_auroc_of_the_same_map(make_case):
    box = make_case(4, signal=0.5).crop()
    ranking = rank(box.scores[box.brain], box.truth[box.brain])
    little, much = (full_box(ranking, air, 0)["paper_fullbox_auroc"] for air in (10, 100_000))
    assert much > 0.99 > little > ranking.curve.auroc()
