"""What the folder says of itself, whatever cases it holds."""

from pathlib import Path
from typing import Any

import slicenet
from slicenet import files

README = """Anomaly maps made by slicenet. Research use, not a medical device.

*_desc-anomaly_heatmap.nii.gz  the final map, float32, on the grid of the input; higher is stranger.
                               It is 0 outside the brain: read it through the brain mask.
*_label-anomaly_mask.nii.gz    where the map lies above the threshold named in the .json beside it
*_desc-brain_mask.nii.gz       the brain that was looked at
*_space-orig_*                 the same on the grid of the scan that the input was prepared from
*.png                          of a picture: the map on it, and the mask, at its own size
scores.tsv                     one number a volume: the mean of its strangest share
run.json                       model, thresholds and settings;  status.jsonl  what happened to each
"""
IGNORED = "*_heatmap.*\n*.html\nrun.json\n*.jsonl\n*.lock\n"
MEANING = {
    "name": "case, as in the input",
    "subject": "subject of the case",
    "score": "mean of the strangest share of the brain; higher is stranger",
    "p_value": "share of healthy calibration volumes at least as strange, this one counted in",
    "peak": "highest value of the map inside the brain",
    "anomaly_ml": "volume above the threshold, millilitres",
    "brain_ml": "volume looked at, millilitres",
    "folder": "where the case's files lie",
    "unlike": "in what the input is unlike the healthy brains of the model, if it is",
}


def describe(out: Path) -> None:
    """Write all that depends neither on cases nor on the model."""
    files.write_json(out / "dataset_description.json", _description())
    files.write_text(out / "README", README)
    files.write_text(out / ".bidsignore", IGNORED)
    files.write_json(out / "scores.json", MEANING)


def _description() -> dict[str, Any]:
    return {
        "Name": "slicenet anomaly maps",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "slicenet", "Version": slicenet.__version__}],
    }
