import io

import numpy as np
from PIL import Image

from slicenet.report.montage import APART, OUTLINE, tiles
from slicenet.report.scale import calibrated
from slicenet.report.volumes import Layers
from tests.slicenet.report.conftest import AFFINE, calibration


def layers():
    brain = np.zeros((20, 24, 16), bool)
    brain[2:18, 2:22, 1:15] = True
    scores = np.zeros(brain.shape, np.float32)
    scores[3, 18, 6] = 9  # on the patient's left, at the front
    scores[10, 10, 11] = 8
    image = np.where(brain, 50.0, 0.0)
    return Layers(scores, brain, AFFINE, image)


def drawn(tile):
    return np.asarray(Image.open(io.BytesIO(tile.png)).convert("RGB")).astype(int)


def test_the_strangest_slices_are_shown_from_below_and_none_beside_another():
    found = tiles(layers(), calibrated(calibration(), 3.0), (0, 100), 80)
    heights = [tile.place[2] for tile in found]
    assert {6, 11} <= set(heights)
    assert heights == sorted(heights)
    assert (np.diff(heights) * AFFINE[2, 2] >= APART).all()
    assert (3, 18, 6) in [tile.place for tile in found]


def test_colour_lies_on_the_side_that_radiologists_expect():
    found = {
        t.place[2]: drawn(t) for t in tiles(layers(), calibrated(calibration(), 3.0), (0, 100), 80)
    }
    coloured = found[6].max(-1) - found[6].min(-1) > 40
    rows, columns = np.nonzero(coloured)
    height, width = coloured.shape
    assert (columns > width / 2).all()  # x is low, the patient's left: on the right
    assert (rows < height / 2).all()  # y is high: at the top
    assert width / height == 20 * 3 / (24 * 3)


def test_truth_is_outlined_and_a_case_without_image_is_still_drawn():
    truth = np.zeros((20, 24, 16), bool)
    truth[8:13, 8:13, 11] = True
    own = layers()
    marked = Layers(own.scores, own.brain, own.affine, None, truth)
    found = {
        t.place[2]: drawn(t) for t in tiles(marked, calibrated(calibration(), 3.0), (0, 1), 80)
    }
    near = np.abs(found[11] - np.array(OUTLINE)).sum(-1) < 60
    assert near.any()
    assert not near[40:44, 40:44].any()  # a line, no patch


def test_the_same_case_gives_the_same_bytes():
    scale = calibrated(calibration(), 3.0)
    assert tiles(layers(), scale, (0, 100), 80) == tiles(layers(), scale, (0, 100), 80)
