"""What the files of a case are called, below the folder that scoring leaves."""

from pathlib import Path

from slicenet.cohort import Case
from slicenet.cohort.naming import parse_stem

HEATMAP = "_desc-anomaly_heatmap.nii.gz"
SIDECAR = "_desc-anomaly_heatmap.json"
MASK = "_label-anomaly_mask.nii.gz"
BRAIN = "_desc-brain_mask.nii.gz"
PIECES = "_desc-anomaly_dseg.nii.gz"
PIECES_TABLE = "_desc-anomaly_dseg.tsv"
# Of pictures only, for people and for tools that know no NIfTI.
OVERLAY = "_desc-anomaly_heatmap.png"
MASK_PICTURE = "_label-anomaly_mask.png"


def own(out: Path, case: Case) -> Path:
    """How the files on the grid of the input begin."""
    return out / case.folder / case.prefix


def native(out: Path, case: Case) -> Path:
    """How those on the grid of the scan begin: BIDS calls the space of each scan itself `orig`."""
    named = parse_stem(case.prefix)
    pairs = [f"{key}-{label}" for key, label in named.without("space", "res")]
    stem = "_".join([*pairs, "space-orig"]) if pairs else f"{case.prefix}_space-orig"
    return out / case.folder / stem


def sidecar(ending: str) -> str:
    """The ending of the JSON file that tells of a file."""
    return ending.partition(".")[0] + ".json"


def ended(stem: Path, ending: str) -> Path:
    """The file of that stem with this ending."""
    return stem.with_name(f"{stem.name}{ending}")
