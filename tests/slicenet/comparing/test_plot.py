import io

import numpy as np
import pytest
from PIL import Image

from slicenet.comparing.plot import Point, plot, style

CLOSE = [
    Point("zscore", 0.313, 0.05, 0.6, 3.1, 0.031),
    Point("intensity-gaussian", 0.30, 0.1, 0.55, 3.3, 0.033),
    Point("histeq", 0.29, 0.01, 0.5, 3.2, 0.03),
    Point("simpleslicenet", 0.31, 0.2, 0.4, 3.15, 0.032),
]


def picture(points):
    return np.asarray(Image.open(io.BytesIO(plot(points, "AP"))).convert("RGB"))


def test_no_two_backends_look_alike():
    looks = [style(index) for index in range(49)]
    assert len(set(looks)) == 49
    assert len({colour for colour, _ in looks[:7]}) == len({mark for _, mark in looks[:7]}) == 7


def test_the_same_points_give_the_same_picture_and_others_another():
    assert plot(CLOSE, "AP") == plot(CLOSE, "AP")
    assert plot(CLOSE, "AP") != plot(CLOSE[:3], "AP")


@pytest.mark.parametrize("points", [CLOSE[:1], [Point("alone", 0.2, None, None, 5.0, 0.1)]])
def test_a_single_point_is_drawn_twice_in_its_colour(points):
    shown = picture(points)
    blue = (abs(shown.astype(int) - (0x00, 0x72, 0xB2)).sum(-1) < 30).any(0)
    assert blue[: shown.shape[1] // 2].any()
    assert blue[shown.shape[1] // 2 :].any()


def test_more_backends_than_colours_can_be_drawn():
    many = [Point(f"b{i}", 0.05 * i, 0.0, 0.9, 1.0 + i, 0.1 + i) for i in range(1, 15)]
    assert picture(many).shape[2] == 3
