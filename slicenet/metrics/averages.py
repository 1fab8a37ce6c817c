"""Figures that are means over volumes, and those that are ratios of sums over volumes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slicenet.metrics.curve import share
from slicenet.metrics.figures import Figure
from slicenet.metrics.resamples import Resamples
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import CaseSummary

BY_VOLUME = ("auroc", "average_precision", "auroc30", "aupro30", "oracle_dice")
BY_PAPER = ("paper_fullbox_auroc", "paper_fullbox_auprc", "paper_fullbox_oracle_dice")
BY_THRESHOLD = (
    "dice", "precision", "recall", "hd95", "hd99", "directed_hd99", "mean_surface_distance",
    "nothing_predicted", "healthy_false_positive_ml", "healthy_false_positive_rate",
    "healthy_components",
)  # fmt: skip

Statistic = Callable[[np.ndarray], np.ndarray]


def mean_figures(
    cases: Sequence[CaseSummary], resamples: Resamples, thresholds: Sequence[str]
) -> list[Figure]:
    """Means over the volumes that have the figure: lesioned ones, or healthy ones."""
    figures = [_mean(name, "", cases, resamples) for name in (*BY_VOLUME, *BY_PAPER)]
    for threshold in thresholds:
        figures += [_mean(name, threshold, cases, resamples) for name in BY_THRESHOLD]
    return figures


def pooled_overlap_figures(
    cases: Sequence[CaseSummary], resamples: Resamples, thresholds: Sequence[str]
) -> list[Figure]:
    """Dice, precision and recall of the voxels of all volumes together, from exact counts."""
    lesioned = np.array([case.lesioned for case in cases])
    figures = []
    for threshold in thresholds:
        parts = np.stack([case.voxels[threshold].table() for case in cases])
        for name, statistic in POOLED_OVERLAP.items():
            estimate = resamples.estimate(parts, statistic, lesioned)
            figures.append(Figure(name, estimate, len(cases), threshold))
    return figures


def lesion_figures(
    cases: Sequence[CaseSummary],
    resamples: Resamples,
    thresholds: Sequence[str],
    settings: EvaluationSettings,
) -> list[Figure]:
    """Sensitivity, PPV and F1 over the lesions of all lesioned volumes, and by size."""
    lesioned = np.array([case.lesioned for case in cases])
    figures = []
    for threshold in thresholds:
        tables = np.stack([case.lesions[threshold].table() for case in cases])  # [N, 4, strata]
        tables[~lesioned] = 0  # what is predicted in healthy volumes has figures of its own
        strata = {"": tables.sum(-1)}
        strata |= {name: tables[..., at] for at, name in enumerate(settings.strata)}
        for stratum, parts in strata.items():
            for name, (statistic, column) in LESION_WISE.items():
                estimate = resamples.estimate(parts, statistic, lesioned)
                count = int(parts[:, column].sum())
                figures.append(Figure(name, estimate, count, threshold, stratum))
    return figures


def _mean(name: str, threshold: str, cases: Sequence[CaseSummary], resamples: Resamples) -> Figure:
    key = f"{name}@{threshold}" if threshold else name
    having = np.array([key in case.values for case in cases])
    values = np.array([case.values.get(key, 0.0) for case in cases])
    parts = np.stack([values, having.astype(float)], 1)
    estimate = resamples.estimate(parts, lambda sums: share(sums[:, 0], sums[:, 1]), having)
    return Figure(name, estimate, int(having.sum()), threshold)


def _dice(sums: np.ndarray) -> np.ndarray:
    hits, alarms, missed, _ = sums.T
    return np.where(hits + missed > 0, share(2 * hits, 2 * hits + alarms + missed), np.nan)


def _precision(sums: np.ndarray) -> np.ndarray:
    hits, alarms, missed, _ = sums.T
    return np.where(hits + missed > 0, hits / np.maximum(hits + alarms, 1), np.nan)


def _recall(sums: np.ndarray) -> np.ndarray:
    hits, _, missed, _ = sums.T
    return share(hits, hits + missed)


def _sensitivity(sums: np.ndarray) -> np.ndarray:
    return share(sums[:, 1], sums[:, 0])


def _ppv(sums: np.ndarray) -> np.ndarray:
    return share(sums[:, 3], sums[:, 2])


def _f1(sums: np.ndarray) -> np.ndarray:
    """0 where lesions are there and nothing is found, NaN where there are no lesions."""
    sensitivity, ppv = _sensitivity(sums), np.nan_to_num(_ppv(sums))
    return np.where(sensitivity > 0, share(2 * sensitivity * ppv, sensitivity + ppv), sensitivity)


POOLED_OVERLAP: Mapping[str, Statistic] = {
    "pooled_dice": _dice, "pooled_precision": _precision, "pooled_recall": _recall,
}  # fmt: skip
LESION_WISE: Mapping[str, tuple[Statistic, int]] = {  # and the row that their n counts
    "lesion_sensitivity": (_sensitivity, 0), "lesion_ppv": (_ppv, 2), "lesion_f1": (_f1, 0),
}  # fmt: skip
