"""What lies together above the threshold: an image of numbers, and a table of what each is."""

from pathlib import Path
from typing import Any

import numpy as np

from slicenet import files
from slicenet.components import Component, components
from slicenet.images.write import write_labels
from slicenet.output.colours import MOST, hexadecimal, name
from slicenet.output.names import PIECES, PIECES_TABLE, ended
from slicenet.output.tsv import tsv
from slicenet.scoring import AnomalyMap

KNOWN = ("index", "name", "color")  # to BIDS, which warns of those who explain them again
COLUMNS: dict[str, dict[str, str]] = {
    "voxels": {"Description": "Size of the piece"},
    "mm3": {"Description": "Volume of the piece", "Units": "mm^3"},
    "peak": {"Description": "Highest value of the map in the piece", "Units": "arbitrary"},
    "mean": {"Description": "Mean of the map in the piece", "Units": "arbitrary"},
    "x": {"Description": "Centroid, towards the right", "Units": "mm"},
    "y": {"Description": "Centroid, towards the front", "Units": "mm"},
    "z": {"Description": "Centroid, upwards", "Units": "mm"},
    "peak_x": {"Description": "Place of the highest value, towards the right", "Units": "mm"},
    "peak_y": {"Description": "Place of the highest value, towards the front", "Units": "mm"},
    "peak_z": {"Description": "Place of the highest value, upwards", "Units": "mm"},
}


def write_pieces(stem: Path, anomalies: AnomalyMap, threshold: str) -> int:
    """Write image and table of the `MOST` largest pieces; how many there are in all."""
    above = anomalies.mask(threshold).numpy()
    affine = np.asarray(anomalies.volume.affine)
    labels, found = components(anomalies.scores.numpy(), above, affine)
    labels[labels > MOST] = 0
    write_labels(ended(stem, PIECES), labels, anomalies.volume.grid)
    rows = [_row(piece) for piece in found[:MOST]]
    files.write_text(ended(stem, PIECES_TABLE), tsv((*KNOWN, *COLUMNS), rows))
    return len(found)


def _row(piece: Component) -> dict[str, Any]:
    x, y, z = piece.centroid
    i, j, k = piece.summit
    return {
        "index": piece.index, "name": name(piece.index), "color": hexadecimal(piece.index),
        "voxels": piece.voxels, "mm3": piece.volume, "peak": piece.peak, "mean": piece.mean,
        "x": x, "y": y, "z": z, "peak_x": i, "peak_y": j, "peak_z": k,
    }  # fmt: skip
