import base64
import io
import struct

import numpy as np
from PIL import Image

from slicenet.drawing import (
    Row,
    mask_png,
    montage,
    overlay_html,
    overlay_png,
    picture_png,
    squashed,
)


def sample(truth=True):
    rng = np.random.default_rng(0)
    brain = np.zeros((20, 24, 16), bool)
    brain[3:17, 3:21, 2:14] = True
    scores = rng.random(brain.shape).astype(np.float32) * brain
    lesion = np.zeros_like(brain)
    lesion[6:9, 6:9, 5:8] = True
    return rng.random(brain.shape) * brain, brain, lesion if truth else None, scores


def size(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_every_volume_adds_a_row_and_every_backend_a_column():
    image, brain, truth, scores = sample()
    one = Row("case", image, brain, truth, (1, 1, 2), {"a": (scores, 0.5)})
    two = Row("case", image, brain, None, (1, 1, 2), {"a": (scores, 0.5), "b": (scores, 2.0)})
    narrow, wide = size(montage([one])), size(montage([two, two]))
    assert wide[0] > narrow[0]
    assert wide[1] > narrow[1]


def test_the_same_maps_give_the_same_bytes():
    image, brain, truth, scores = sample()
    row = Row("case", image, brain, truth, (1, 1, 2), {"a": (scores, 0.5)})
    assert montage([row]) == montage([row])


def test_text_from_a_file_cannot_become_markup():
    image, brain, _, scores = sample()
    drawn = overlay_png(image, scores, brain, np.ones(3))
    shown = overlay_html(drawn, "<script>alert(1)</script>")
    assert "<script>" not in shown
    payload = shown.split("base64,")[1].split("'")[0]
    assert base64.b64decode(payload) == drawn
    assert size(drawn)[0] > 300


def test_a_constant_map_can_be_drawn():
    image, brain, _, scores = sample()
    assert size(overlay_png(image, scores * 0, brain, np.ones(3)))[0] > 300


def test_the_squashed_view_is_a_sigmoid_of_robust_units_inside_the_brain():
    _, brain, _, scores = sample()
    found = squashed(scores, brain)
    inside = scores[brain]
    span = np.quantile(inside, 0.95) - np.quantile(inside, 0.05)
    wanted = 1 / (1 + np.exp(-(inside - np.median(inside)) / span))
    assert np.allclose(found[brain], wanted, atol=1e-6)
    assert (found[~brain] == 0).all()
    # Another scale and offset look the same, which is why no threshold can hold.
    assert np.allclose(squashed(3 * scores + 7, brain), found, atol=1e-5)


def test_the_squashed_view_of_equal_scores_is_the_middle():
    _, brain, _, _ = sample()
    assert np.allclose(squashed(np.ones(brain.shape), brain)[brain], 0.5)


def test_a_picture_keeps_its_size_and_shows_its_strangest_part_in_colour():
    random = np.random.default_rng(0)
    image, brain = random.random((30, 20)), np.ones((30, 20), bool)
    scores = random.random((30, 20))
    scores[5:9, 5:9] = 5
    above = scores > 2
    shown = np.asarray(Image.open(io.BytesIO(picture_png(image, scores, brain, above)))).astype(int)
    assert shown.shape == (30, 20, 3)
    assert (shown[5, 5:9] == 255).all()  # the outline
    coloured = shown.max(-1) - shown.min(-1) > 20
    assert coloured[6:8, 6:8].all()
    assert not coloured[scores < np.quantile(scores, 0.5)].any()
    mask = np.asarray(Image.open(io.BytesIO(mask_png(above))))
    np.testing.assert_array_equal(mask, above * 255)
