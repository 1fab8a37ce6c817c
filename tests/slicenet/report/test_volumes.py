import base64
import gzip

import numpy as np
import pytest

from slicenet.report.scale import calibrated
from slicenet.report.volumes import BRAIN, MARGIN, TRUTH, Layers, pack
from tests.slicenet.report.conftest import AFFINE, calibration


def unpacked(packed, name):
    content = gzip.decompress(base64.b64decode(packed.texts[name]))
    return np.frombuffer(content, np.uint8).reshape(packed.layers.brain.shape, order="F")


@pytest.fixture
def layers(out):
    scores, image = out.scores["sub-1"], out.images["sub-1"]
    room = [(9, 9)] * 3
    far = AFFINE.copy()
    far[:3, 3] -= 9 * np.diag(AFFINE)[:3]
    return Layers(*(np.pad(each, room) for each in (scores, out.brain)), far,
                  *(np.pad(each, room) for each in (image, out.truth)))  # fmt: skip


def test_what_the_page_holds_is_the_volume_around_the_brain(layers, out):
    scale = calibrated(calibration(), out.threshold)
    packed = pack(layers, scale)
    found = unpacked(packed, "levels")
    first = np.argwhere(layers.brain).min(0) - MARGIN
    assert np.allclose(packed.layers.affine @ [0, 0, 0, 1], layers.affine @ [*first, 1])
    marks = unpacked(packed, "marks")
    assert ((marks & BRAIN) > 0).sum() == layers.brain.sum()
    assert ((marks & TRUTH) > 0).sum() == layers.truth.sum()
    inside = (marks & BRAIN) > 0
    above = (layers.scores[layers.brain] > np.float32(out.threshold)).sum()
    assert (found[inside] > scale.asked).sum() == above
    low, high = packed.window
    grey = low + unpacked(packed, "image") / 255 * (high - low)
    wanted = np.clip(packed.layers.image, low, high)
    assert np.abs(grey - wanted).max() <= (high - low) / 255


def test_a_page_never_grows_beyond_its_size(layers, out):
    scale = calibrated(calibration(), out.threshold)
    whole = sum(map(len, pack(layers, scale).texts.values()))
    without = pack(layers, scale, whole - 1)
    assert (without.times, "parts" in without.texts) == (1, False)
    small = pack(layers, scale, 5000)
    assert small.times > 1
    assert sum(map(len, small.texts.values())) <= 5000
    # The strangest place is not averaged away, and stays where it was.
    assert small.layers.scores.max() == layers.scores.max()
    peaks = [
        each.affine @ [*np.unravel_index(each.scores.argmax(), each.scores.shape), 1]
        for each in (layers, small.layers)
    ]
    assert (np.abs(peaks[0] - peaks[1])[:3] <= small.times * 2).all()
    assert np.allclose(small.layers.spacing, np.array(layers.spacing) * small.times)


def test_the_same_volume_gives_the_same_text(layers, out):
    scale = calibrated(calibration(), out.threshold)
    assert pack(layers, scale).texts == pack(layers, scale).texts


def test_a_picture_keeps_its_only_slice_however_small_it_is_made(layers, out):
    flat = Layers(layers.scores[:, :, 14:15], layers.brain[:, :, 14:15], layers.affine)
    scale = calibrated(calibration(), None)
    texts = pack(flat, scale).texts
    small = pack(flat, scale, len(texts["levels"]) + len(texts["marks"]) - 1)
    assert small.times > 1
    assert small.layers.brain.shape[2] == 1
    assert "image" not in small.texts
