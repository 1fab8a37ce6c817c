import itertools

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from slicenet.output.colours import MOST, colour, fsleyes, hexadecimal, itk_snap, name, slicer

# Machado, Oliveira and Fernandes (2009), severity 1: of linear red, green and blue.
EYES = {
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                  [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                    [-0.011820, 0.042940, 0.968881]],
    "tritanope": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                  [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = [0.9505, 1.0, 1.089]


def lab(linear):
    """CIELAB of linear red, green and blue, [N, 3]."""
    share = np.clip(linear, 0, 1) @ np.transpose(TO_XYZ) / WHITE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), 1)


@pytest.mark.parametrize("eye", EYES)
def test_the_largest_seven_differ_for_every_eye(eye):
    shown = np.array([colour(index) for index in range(1, 8)]) / 255
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    # 2.3 is a difference that is just seen.
    assert pdist(lab(linear @ np.transpose(EYES[eye]))).min() > 4 * 2.3


def test_neighbours_in_the_list_never_share_a_colour():
    every = [colour(index) for index in range(1, MOST + 1)]
    assert all(one != other for one, other in itertools.pairwise(every))
    assert hexadecimal(1) == "#e69f00"


def test_slicer_reads_its_table():
    # Its manual: index, name without spaces, red, green, blue, opacity, all 0 to 255.
    first, *lines = slicer().splitlines()
    assert first.startswith("# Color table file")
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert {len(row) for row in rows} == {6}
    assert [int(row[0]) for row in rows] == list(range(MOST + 1))
    assert rows[3][1:] == [name(3), *map(str, colour(3)), "255"]


def test_fsleyes_reads_its_table(tmp_path):
    # As `fsleyes.colourmaps.loadLookupTableFile` does: four numbers, then a name.
    (tmp_path / "a.lut").write_text(fsleyes())
    numbers = np.genfromtxt(tmp_path / "a.lut", usecols=range(4))
    assert np.array_equal(numbers[:, 0], np.arange(1, MOST + 1))
    assert numbers[:, 1:].min() >= 0
    assert numbers[:, 1:].max() <= 1
    assert np.allclose(numbers[8, 1:] * 255, colour(9), atol=0.01)
    assert fsleyes().splitlines()[0].split(None, 4)[4] == name(1)


def test_itk_snap_reads_its_table():
    # Index, red, green, blue 0 to 255, opacity 0 to 1, two switches, a name in quotes.
    rows = [line.split(None, 7) for line in itk_snap().splitlines()]
    assert [int(row[0]) for row in rows] == list(range(MOST + 1))
    assert rows[5][1:4] == [str(part) for part in colour(5)]
    assert {tuple(row[4:7]) for row in rows[1:]} == {("1", "1", "1")}
    assert rows[5][7] == f'"{name(5)}"'
