import numpy as np
import pytest

from slicenet.phantom.anatomy import Anatomy
from slicenet.phantom.contrast import CONTRAST, show
from slicenet.phantom.settings import CONTRASTS


@pytest.fixture(scope="module")
def tissues():
    """One voxel of grey matter, one of white, one of fluid."""
    nothing = np.zeros(3, np.float32)
    return Anatomy(np.ones((1, 1, 3), bool), np.eye(3, dtype=np.float32), nothing, nothing)


@pytest.mark.parametrize(
    ("name", "from_dark_to_bright"), [("T1w", "FGW"), ("T2w", "WGF"), ("FLAIR", "FWG")]
)
def test_tissues_are_ordered_as_radiologists_know_them(tissues, name, from_dark_to_bright):
    for seed in range(20):
        signals = show(np.random.default_rng(seed), tissues, CONTRAST[name])
        assert "".join("GWF"[place] for place in np.argsort(signals)) == from_dark_to_bright


def test_every_contrast_that_can_be_asked_for_is_there():
    assert set(CONTRAST) == set(CONTRASTS)


def test_water_is_dark_in_t1_and_bright_elsewhere():
    assert {name: contrast.polarity for name, contrast in CONTRAST.items()} == {
        "T1w": -1,
        "T2w": 1,
        "FLAIR": 1,
    }


def test_the_templates_texture_turns_round_with_the_contrast():
    brain, fractions = np.ones((1, 1, 2), bool), np.full((3, 2), 1 / 3, np.float32)
    texture = np.array([-0.1, 0.1], np.float32)
    anatomy = Anatomy(brain, fractions, texture, np.zeros(2, np.float32))
    slopes = {name: np.diff(show(np.random.default_rng(0), anatomy, CONTRAST[name]))[0]
              for name in CONTRAST}  # fmt: skip
    assert slopes["T1w"] > 0 > max(slopes["T2w"], slopes["FLAIR"])
