"""What every figure means, in one sentence each."""

from dataclasses import dataclass
from typing import final

from slicenet.metrics.settings import FPR_LIMIT, EvaluationSettings


@final
@dataclass(frozen=True)
class Definition:
    """The name of a figure for people, and what it is."""

    section: str
    label: str
    meaning: str
    unit: str = ""
    oracle: bool = False  # the threshold was chosen with the truth: not reachable in practice
    of: str = "volumes"  # what the number of cases counts


VOXEL = "per voxel, mean over lesioned volumes"
POOLED = "per voxel, all volumes pooled"
THRESHOLD = "at threshold"
DETECTION = "volumes and slices"
PAPER = "as the paper computes them: air included, mean over lesioned volumes"
SECTIONS = (VOXEL, POOLED, THRESHOLD, DETECTION, PAPER)

DEFINITIONS: dict[str, Definition] = {
    "auroc": Definition(
        VOXEL, "AUROC", "Chance that a lesion voxel scores above another voxel of its brain."
    ),
    "average_precision": Definition(
        VOXEL, "average precision", "Precision at each step of recall, weighted by the step."
    ),
    "auroc30": Definition(
        VOXEL, "AUROC30", "Area under the ROC curve up to 30 % false positives, over 0.3."
    ),
    "aupro30": Definition(
        VOXEL,
        "AUPRO30",
        "Area under the mean overlap of the volume's lesions up to 30 % false positives, over 0.3.",
    ),
    "oracle_dice": Definition(
        VOXEL, "⌈Dice⌉", "The highest Dice of any threshold, chosen for each volume.", oracle=True
    ),
    "pooled_auroc": Definition(
        POOLED, "AUROC", "Chance that any lesion voxel scores above any other brain voxel."
    ),
    "pooled_average_precision": Definition(
        POOLED, "average precision", "Step-wise, over the voxels of all brains together."
    ),
    "pooled_auroc30": Definition(
        POOLED, "AUROC30", "Area under the pooled ROC curve up to 30 % false positives, over 0.3."
    ),
    "pooled_oracle_dice": Definition(
        POOLED, "⌈Dice⌉", "The highest Dice of any one threshold for all volumes.", oracle=True
    ),
    "dice": Definition(THRESHOLD, "Dice", "Mean over lesioned volumes."),
    "precision": Definition(
        THRESHOLD, "precision", "Of the predicted voxels, those in lesions; 0 if none is predicted."
    ),
    "recall": Definition(THRESHOLD, "recall", "Of the lesion voxels, those predicted."),
    "pooled_dice": Definition(
        THRESHOLD, "pooled Dice", "Dice of all voxels of all volumes, healthy ones included."
    ),
    "pooled_precision": Definition(
        THRESHOLD, "pooled precision", "Precision of all voxels of all volumes, healthy included."
    ),
    "pooled_recall": Definition(
        THRESHOLD, "pooled recall", "Recall of all lesion voxels of all volumes."
    ),
    "hd95": Definition(
        THRESHOLD, "Hausdorff 95 %", "The larger directed 95th percentile of distances.", "mm"
    ),
    "hd99": Definition(
        THRESHOLD, "Hausdorff 99 %", "The larger directed 99th percentile of distances.", "mm"
    ),
    "directed_hd99": Definition(
        THRESHOLD,
        "directed Hausdorff 99 %",
        "The 99th percentile of distances from the predicted outline to the true one.",
        "mm",
    ),
    "mean_surface_distance": Definition(
        THRESHOLD, "mean surface distance", "Over the voxels of both outlines together.", "mm"
    ),
    "nothing_predicted": Definition(
        THRESHOLD, "nothing predicted", "Share of lesioned volumes without any predicted voxel."
    ),
    "lesion_sensitivity": Definition(
        THRESHOLD, "lesion sensitivity", "Of all lesions, those touched.", of="lesions"
    ),
    "lesion_ppv": Definition(
        THRESHOLD,
        "lesion PPV",
        "Of the components predicted in lesioned volumes, those that touch a lesion.",
        of="components",
    ),
    "lesion_f1": Definition(
        THRESHOLD, "lesion F1", "Harmonic mean of lesion sensitivity and PPV.", of="lesions"
    ),
    "healthy_false_positive_ml": Definition(
        THRESHOLD, "false volume in healthy", "Predicted volume, mean over healthy volumes.", "mL"
    ),
    "healthy_false_positive_rate": Definition(
        THRESHOLD,
        "voxel FPR in healthy",
        "Predicted share of the brain, mean over healthy volumes.",
    ),
    "healthy_components": Definition(
        THRESHOLD, "components in healthy", "Predicted components, mean over healthy volumes."
    ),
    "volume_auroc": Definition(
        DETECTION, "volume AUROC", "Chance that a lesioned volume scores above a healthy one."
    ),
    "volume_average_precision": Definition(
        DETECTION, "volume average precision", "Step-wise, lesioned against healthy volumes."
    ),
    "slice_auroc": Definition(
        DETECTION, "slice AUROC", "Axial slices with lesion against those without.", of="slices"
    ),
    "slice_average_precision": Definition(
        DETECTION, "slice average precision", "Step-wise, over axial slices.", of="slices"
    ),
    "slice_volume_spearman": Definition(
        DETECTION, "slice-volume Spearman", "Each volume's highest slice score and its own score."
    ),
    "paper_fullbox_auroc": Definition(
        PAPER, "paper full-box AUROC", "AUROC with air at the lowest score."
    ),
    "paper_fullbox_auprc": Definition(
        PAPER, "paper full-box AUPRC", "Trapezoid under precision and recall, air included."
    ),
    "paper_fullbox_oracle_dice": Definition(
        PAPER, "paper full-box ⌈Dice⌉", "Highest Dice, chosen for each volume.", oracle=True
    ),
}


def rules(settings: EvaluationSettings) -> tuple[str, ...]:
    """The conventions that the figures rest on, to be printed below them."""
    return (
        "All figures look inside the brain mask only, but for those named paper_fullbox.",
        "**oracle**: the threshold was chosen with the truth. Nobody has that number in practice.",
        "Predicted is what scores above the threshold, which healthy volumes set.",
        f"AUROC30 and AUPRO30 stop at a false-positive rate of {FPR_LIMIT:g}, cut exactly there.",
        "Lesions are 26-connected components of the truth, none left out and none dilated. Found "
        "is a lesion that shares a voxel with a predicted component of at least "
        f"{settings.minimum_voxels} voxels; smaller components are ignored.",
        f"Size strata ({', '.join(settings.strata)}): sensitivity by the lesion's size, PPV by the "
        "component's.",
        "Surface distances in mm between the outlines of all that is predicted and of the truth. "
        "Where nothing is predicted, all are the diagonal of the box around the brain: a miss "
        "costs, it is not left out.",
        "A slice scores its highest voxel; only axial slices with brain count.",
        "Pooled figures come from a histogram; ± bounds how far the exact figure can be.",
        f"Intervals: {100 * settings.level:g} % of {settings.resamples} bootstrap samples of "
        "subjects, lesioned and healthy ones drawn apart; a dash where fewer than 2 bear on it.",
        f"Intervals of pooled, slice and volume curves come from at most {settings.bootstrap_bins} "
        "bins for each volume and are moved to the finer figure.",
    )
