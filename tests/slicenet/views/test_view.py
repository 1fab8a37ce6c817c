import dataclasses

import pytest
import torch

from slicenet.draws import drawing
from slicenet.views import Chance, ViewSettings, view

SETTINGS = ViewSettings()
CHANGES = [field.name for field in dataclasses.fields(SETTINGS) if field.name != "boxes"]


def seen(space, ball, settings=SETTINGS, seed=0):
    return view(*ball, space.spacing, settings, drawing(seed))


def test_a_view_follows_from_its_numbers(space, ball):
    assert torch.equal(seen(space, ball), seen(space, ball))
    assert not torch.equal(seen(space, ball), seen(space, ball, seed=1))


def test_nothing_is_shown_outside_the_brain(space, ball):
    still = dataclasses.replace(SETTINGS, affine=Chance(0.0, 0.0), elastic=Chance(0.0, 0.0))
    for seed in range(5):
        assert (seen(space, ball, still, seed)[:, ~ball[1]] == 0).all()


def test_a_view_still_looks_like_its_brain(space, ball):
    voxels, brain = ball
    # This brain is smaller than a head's, so boxes for heads would empty most of it.
    small = dataclasses.replace(SETTINGS, swap=Chance(0.4, 4.0), cut=Chance(0.4, 8.0))
    for seed in range(8):
        found = seen(space, ball, small, seed)
        assert torch.isfinite(found).all()
        both = torch.stack((found[0][brain], voxels[0][brain]))
        assert torch.corrcoef(both)[0, 1] > 0.2


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_can_be_seen_alone(name, space, ball):
    off = dataclasses.replace(SETTINGS, **{other: Chance(0.0, 1.0) for other in CHANGES})
    assert torch.equal(seen(space, ball, off), ball[0])
    alone = dataclasses.replace(off, **{name: Chance(1.0, getattr(SETTINGS, name).strength)})
    assert not torch.equal(seen(space, ball, alone), ball[0])
