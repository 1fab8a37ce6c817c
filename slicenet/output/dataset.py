"""What the folder says of itself, whatever cases it holds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import slicenet
from slicenet import files
from slicenet.checkpoint import Model
from slicenet.output.colours import MOST, fsleyes, itk_snap, slicer
from slicenet.output.places import DESCRIPTION, linked
from slicenet.output.tsv import tsv

README = f"""Anomaly maps made by slicenet. Research use, not a medical device.

*_desc-anomaly_heatmap.nii.gz  the final map, float32, on the grid of the input; higher is stranger.
                               It is 0 outside the brain: read it through the brain mask.
*_label-anomaly_mask.nii.gz    where the map lies above the threshold named in its .json
*_desc-anomaly_dseg.nii.gz     pieces of that mask, numbered from the largest, {MOST} at most; what
                               touches by a face, an edge or a corner is one piece
*_desc-anomaly_dseg.tsv        size, height and place of each piece
*_desc-brain_mask.nii.gz       the brain that was looked at
*_space-orig_*                 the same on the grid of the scan that the input was prepared from
*.png                          of a picture: the map on it, and the mask, at its own size
group.html, *_report.html      pages to look at, if `slicenet report` has made them
scores.tsv                     one number a volume: the mean of its strangest share
run.json                       model, thresholds and settings;  status.jsonl  what happened to each

Colours of the pieces, the same for every case: desc-anomaly_dseg.label for ITK-SNAP,
desc-anomaly_dseg.ctbl for 3D Slicer, desc-anomaly_dseg.lut for FSLeyes.
"""
# At the top only what BIDS knows is not ignored: inputs whose names are not of BIDS have folders
# of any name. A line that ends with a slash would not hold for the official validator.
IGNORED = (
    "/*", "!/sub-*", "/sub-*_*", "!/dataset_description.json", "!/descriptions.*",
    "!/participants.*", "!/README", "*_heatmap.*", "*_mod-*", "*.html", "*.png",
)  # fmt: skip
GRID = "on the grid that was scored: of a prepared scan MNI's, on which heads are larger"
COLOURS = {"label": itk_snap, "ctbl": slicer, "lut": fsleyes}  # by endings
DESCRIPTIONS = {
    "desc-anomaly": "how strange each voxel is to a model of healthy brains, and what stands out",
    "desc-brain": "the brain that was looked at",
}
MEANING: dict[str, dict[str, str]] = {
    "name": {"Description": "Case, as in the input"},
    "subject": {"Description": "Subject of the case"},
    "score": {
        "Description": "Mean of the strangest share of the brain; higher is stranger",
        "Units": "arbitrary",
    },
    "p_value": {
        "Description": "Share of healthy calibration volumes at least as strange, this one "
        "counted in"
    },
    "peak": {"Description": "Highest value of the map inside the brain", "Units": "arbitrary"},
    "anomaly_ml": {"Description": f"Volume above the threshold, {GRID}", "Units": "mL"},
    "brain_ml": {"Description": f"Volume looked at, {GRID}", "Units": "mL"},
    "folder": {"Description": "Where the files of the case lie"},
    "unlike": {"Description": "In what the input is unlike the healthy brains of the model"},
}


def describe(out: Path, model: Model, images: Iterable[Path]) -> None:
    """Write all that does not depend on single cases; `images` are those about to be scored."""
    files.make_folder(out)  # or no `..` leads out of it
    before = files.read_json(out / DESCRIPTION)
    links = linked(images, out, links_of(before))
    # What a person added stays: authors, a licence, how to acknowledge.
    files.write_json(out / DESCRIPTION, before | _description(out, model, links))
    files.write_text(out / "README", README)
    files.write_text(out / ".bidsignore", "\n".join(IGNORED) + "\n")
    files.write_json(out / "scores.json", MEANING)
    rows = [{"desc_id": key, "description": text} for key, text in DESCRIPTIONS.items()]
    files.write_text(out / "descriptions.tsv", tsv(("desc_id", "description"), rows))
    text = "what the labels of desc- in names of files mean"
    files.write_json(out / "descriptions.json", {"Description": text})
    for ending, table in COLOURS.items():
        files.write_text(out / f"desc-anomaly_dseg.{ending}", table())


def links_of(description: Mapping[str, Any]) -> dict[str, str]:
    """Names of other data sets and where they are, as a description has them."""
    links = description.get("DatasetLinks")
    known = links if isinstance(links, dict) else {}
    return {str(name): str(where) for name, where in known.items()}


def _description(out: Path, model: Model, links: Mapping[str, str]) -> dict[str, Any]:
    described = {where: files.read_json(out / where / DESCRIPTION) for where in links.values()}
    titles = [_text(about, "Name") for about in described.values()]
    of = " and ".join(title for title in titles if title)
    made = {
        "Name": "slicenet",
        "Version": slicenet.__version__,
        "Description": f"backend {model.name}, model {model.digest}",
    }
    return {
        "Name": f"Anomaly maps of {of}" if of else "Anomaly maps",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [made],
        **({"SourceDatasets": [_source(*one) for one in described.items()]} if links else {}),
        **({"DatasetLinks": dict(links)} if links else {}),
    }


def _source(where: str, about: Mapping[str, Any]) -> dict[str, str]:
    identifier = _text(about, "DatasetDOI")
    return {"URL": where, **({"DOI": identifier} if identifier else {})}


def _text(about: Mapping[str, Any], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""
