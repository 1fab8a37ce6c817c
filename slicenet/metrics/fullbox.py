"""The figures as the paper computes them, air included; only to be set beside the paper's."""

from slicenet.metrics.curve import Curve
from slicenet.metrics.ranking import Ranking

PREFIX = "paper_fullbox"


def full_box(ranking: Ranking, air: int, truth_outside: int) -> dict[str, float]:
    """AUROC, trapezoid AUPRC and oracle Dice of the whole grid, its air at the lowest score.

    Air is easy, so AUROC rises with the field of view; the trapezoid flatters as well.
    """
    hits, alarms = ranking.curve.hits.copy(), ranking.curve.alarms.copy()
    hits[-1] += truth_outside
    alarms[-1] += air - truth_outside
    curve = Curve(hits, alarms)
    return {
        f"{PREFIX}_auroc": float(curve.auroc()),
        f"{PREFIX}_auprc": float(curve.trapezoid_precision()),
        f"{PREFIX}_oracle_dice": float(curve.best_dice()),
    }
