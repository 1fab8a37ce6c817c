"""What is kept of a volume once its voxels are gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.metrics.case import BrainBox, ScoredCase
from slicenet.metrics.fullbox import full_box
from slicenet.metrics.histogram import Histogram
from slicenet.metrics.lesions import Components, LesionCounts, count_lesions, label_components
from slicenet.metrics.ranking import Ranking, rank
from slicenet.metrics.settings import FPR_LIMIT, EvaluationSettings
from slicenet.metrics.slices import Slices, axial_slices
from slicenet.metrics.surface import Outline, outline, surface_distances


@final
@dataclass(frozen=True)
class VoxelCounts:
    """The brain voxels of one volume by prediction and truth."""

    hits: int
    alarms: int
    missed: int
    rest: int

    def table(self) -> np.ndarray:
        """The four counts in this order, [4]."""
        return np.array([self.hits, self.alarms, self.missed, self.rest])


@final
@dataclass(frozen=True, eq=False)
class CaseSummary:
    """The figures and counts of one volume: some 50 kB, whatever its size."""

    name: str
    subject: str
    lesioned: bool
    volume_score: float
    facts: Mapping[str, float]  # sizes, for the table of cases
    values: Mapping[str, float]  # figures of this volume by name; only those that exist
    voxels: Mapping[str, VoxelCounts]  # by name of threshold
    lesions: Mapping[str, LesionCounts]  # by name of threshold
    slices: Slices
    histogram: Histogram  # coarse, for the bootstrap


def summarise(
    case: ScoredCase, thresholds: Mapping[str, float], settings: EvaluationSettings
) -> tuple[CaseSummary, Histogram]:
    """All that one volume adds to an evaluation, and the fine histogram of its scores."""
    box = case.crop()
    truth = label_components(box.truth)
    ranking = rank(box.scores[box.brain], truth.numbers[box.brain])
    fine = ranking.histogram()
    predicted = {name: box.brain & (box.scores > value) for name, value in thresholds.items()}
    voxels = {name: _count(box, mask) for name, mask in predicted.items()}
    lesions = {
        name: count_lesions(truth, mask, box.voxel_ml, settings) for name, mask in predicted.items()
    }
    if case.lesioned:
        values = _curve_figures(ranking, box) | _lesioned_figures(box, predicted, voxels)
    else:
        values = _healthy_figures(box, voxels, lesions)
    summary = CaseSummary(
        name=case.name,
        subject=case.subject or case.name,
        lesioned=case.lesioned,
        volume_score=case.volume_score,
        facts=_facts(box, truth),
        values={name: value for name, value in values.items() if np.isfinite(value)},
        voxels=voxels,
        lesions=lesions,
        slices=axial_slices(box),
        histogram=fine.within(settings.bootstrap_bins),
    )
    return summary, fine


def _facts(box: BrainBox, truth: Components) -> dict[str, float]:
    return {
        "brain_ml": int(box.brain.sum()) * box.voxel_ml,
        "lesion_ml": int(box.truth.sum()) * box.voxel_ml,
        "lesion_outside_brain_ml": box.truth_outside * box.voxel_ml,
        "lesions": len(truth.sizes) - 1,
    }


def _count(box: BrainBox, mask: np.ndarray) -> VoxelCounts:
    brain, lesion, predicted = (int(part.sum()) for part in (box.brain, box.truth, mask))
    hits = int((mask & box.truth).sum())
    alarms, missed = predicted - hits, lesion - hits
    return VoxelCounts(hits, alarms, missed, brain - hits - alarms - missed)


def _curve_figures(ranking: Ranking, box: BrainBox) -> dict[str, float]:
    curve = ranking.curve
    return {
        "auroc": float(curve.auroc()),
        "average_precision": float(curve.average_precision()),
        "auroc30": float(curve.auroc(FPR_LIMIT)),
        "aupro30": ranking.aupro(FPR_LIMIT),
        "oracle_dice": float(curve.best_dice()),
        **full_box(ranking, box.air, box.truth_outside),
    }


def _lesioned_figures(
    box: BrainBox, predicted: Mapping[str, np.ndarray], voxels: Mapping[str, VoxelCounts]
) -> dict[str, float]:
    truth = outline(box.truth, box.spacing)
    values: dict[str, float] = {}
    for name, mask in predicted.items():
        values |= _at(name, _overlap(voxels[name]) | _distances(box, truth, mask))
    return values


def _overlap(counts: VoxelCounts) -> dict[str, float]:
    predicted, lesion = counts.hits + counts.alarms, counts.hits + counts.missed
    return {
        "dice": 2 * counts.hits / (predicted + lesion),
        "precision": counts.hits / max(predicted, 1),
        "recall": counts.hits / lesion,
        "nothing_predicted": float(predicted == 0),
    }


def _distances(box: BrainBox, truth: Outline, mask: np.ndarray) -> dict[str, float]:
    distances = surface_distances(truth, outline(mask, box.spacing), box.diagonal)
    return {
        "hd95": distances.hausdorff95,
        "hd99": distances.hausdorff99,
        "directed_hd99": distances.false99,
        "mean_surface_distance": distances.mean,
    }


def _healthy_figures(
    box: BrainBox, voxels: Mapping[str, VoxelCounts], lesions: Mapping[str, LesionCounts]
) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, counts in voxels.items():
        figures = {
            "healthy_false_positive_ml": counts.alarms * box.voxel_ml,
            "healthy_false_positive_rate": counts.alarms / (counts.alarms + counts.rest),
            "healthy_components": float(lesions[name].predicted.sum()),
        }
        values |= _at(name, figures)
    return values


def _at(threshold: str, values: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}@{threshold}": value for name, value in values.items()}
