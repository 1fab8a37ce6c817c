import csv

import nibabel as nib
import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine

from slicenet.output.colours import MOST
from slicenet.output.names import PIECES, PIECES_TABLE, ended
from slicenet.output.pieces import write_pieces
from slicenet.scoring import AnomalyMap


@pytest.fixture
def speckled(make_brain):
    """A map above 1 in a block and in 299 voxels that touch nothing."""
    volume = make_brain(0)
    scores = torch.zeros(volume.brain.shape)
    scores[20:24, 20:24, 20:24] = torch.linspace(2, 2.1, 64).reshape(4, 4, 4)
    apart = torch.zeros_like(volume.brain)
    apart[::3, ::3, 1::3] = True
    apart[18:26, 18:26, 18:26] = False
    places = (apart & volume.brain).nonzero()[:299]
    scores[tuple(places.T)] = torch.linspace(1.5, 3, len(places))
    return AnomalyMap(scores, volume, 1.0)


def read(stem):
    lines = ended(stem, PIECES_TABLE).read_text().splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))


def test_image_and_table_hold_the_largest_pieces_and_all_are_counted(tmp_path, speckled):
    stem = tmp_path / "a"
    assert write_pieces(stem, speckled, "value:1") == 300
    image = nib.load(ended(stem, PIECES))
    labels = np.asarray(image.dataobj)
    assert labels.dtype == np.uint8
    assert np.array_equal(np.unique(labels), np.arange(MOST + 1))
    rows = read(stem)
    assert list(rows[0])[:3] == ["index", "name", "color"]
    assert len(rows) == MOST
    assert rows[0]["voxels"] == "64"
    assert (labels == 1).sum() == 64


def test_the_table_tells_of_the_voxels_in_the_image(tmp_path, speckled):
    stem = tmp_path / "a"
    write_pieces(stem, speckled, "value:1")
    image = nib.load(ended(stem, PIECES))
    labels = np.asarray(image.dataobj)
    scores = speckled.scores.numpy()  # the brain is stored in RAS order
    for row in read(stem)[:9]:
        inside = labels == int(row["index"])
        places = apply_affine(image.affine, np.argwhere(inside))
        highest = places[np.argmax(scores[inside])]
        assert float(row["mm3"]) == inside.sum() * 27
        assert float(row["peak"]) == pytest.approx(scores[inside].max(), rel=1e-5)
        assert float(row["mean"]) == pytest.approx(scores[inside].mean(), rel=1e-5)
        assert [float(row[axis]) for axis in "xyz"] == pytest.approx(places.mean(0), abs=1e-3)
        assert [float(row[f"peak_{axis}"]) for axis in "xyz"] == pytest.approx(highest, abs=1e-3)


def test_where_nothing_stands_out_there_is_an_empty_table(tmp_path, speckled):
    assert write_pieces(tmp_path / "a", speckled, "value:9") == 0
    assert not np.asarray(nib.load(ended(tmp_path / "a", PIECES)).dataobj).any()
    assert len(ended(tmp_path / "a", PIECES_TABLE).read_text().splitlines()) == 1
