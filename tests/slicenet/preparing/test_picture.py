import io

import matplotlib.pyplot as plt
import numpy as np

from slicenet.mni import average
from slicenet.preparing.picture import picture


def colours(png):
    return plt.imread(io.BytesIO(png))[..., :3]


def test_both_brains_are_outlined():
    found = average()
    drawn = colours(picture(found.t1, np.roll(found.brain, 9, 0), found.brain, found.affine, "a"))
    yellow = (drawn[..., 0] > 0.8) & (drawn[..., 1] > 0.8) & (drawn[..., 2] < 0.4)
    blue = (drawn[..., 0] < 0.4) & (drawn[..., 2] > 0.8)
    assert yellow.sum() > 500
    assert blue.sum() > 500


def test_nothing_at_all_is_drawn_too():
    found = average()
    nothing = np.zeros_like(found.brain)
    assert picture(np.zeros_like(found.t1), nothing, nothing, found.affine, "empty")
