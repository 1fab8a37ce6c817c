from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.colocated import Colocated
from slicenet.extractors.shelf import Shelf

SIDES = (5, 7, 1)


@pytest.fixture
def shelf(make_brain):
    """Three brains that tell who and where: whose voxel, and which, in two sequences."""
    volumes = []
    for owner in range(3):
        volume = make_brain(owner, sequences=2, shape=(12, 14, 10))
        own = volume.brain.clone()
        own[: 3 + owner] = False  # none has the brain of another
        place = torch.arange(own.numel()).reshape(own.shape).float()
        volumes.append(replace(volume, voxels=torch.stack((owner + 0 * place, place)), brain=own))
    with Shelf(volumes) as made:
        yield made


def test_the_two_are_of_one_place_and_of_two_subjects_who_both_have_it(shelf):
    pairs = Colocated.on(shelf, "abc", SIDES, 3)
    met = set()
    for step in range(5):
        subjects, centres = pairs.drawn(step, 200)
        patches = pairs.at(step, 200)
        assert patches.shape == (2, 200, 2, 5, 7)
        middle = patches[..., 2, 3].long().numpy()  # [2, 200, 2]
        assert (middle[..., 0] == subjects).all()
        assert (middle[0, :, 0] != middle[1, :, 0]).all()
        raveled = np.ravel_multi_index(tuple(centres.T), (12, 14, 10))
        assert (middle[..., 1] == raveled).all()
        for one in subjects:
            assert all(shelf[who][1][tuple(place)] for who, place in zip(one, centres, strict=True))
        met |= set(map(tuple, subjects.T.tolist()))
    assert met == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}


def test_the_two_nearest_to_the_front_of_a_random_order_are_taken(shelf):
    pairs = Colocated.on(shelf, "abc", SIDES, 3)
    volumes, centres = pairs.drawn(2, 200)
    draws = np.random.default_rng([3, 2])
    draws.integers(len(pairs.places), size=200)
    order = np.where(pairs.brain[:, *centres.T], draws.random((3, 200)), np.inf)
    assert np.array_equal(volumes, np.argsort(order, 0)[:2])


def test_sessions_and_copies_of_a_brain_are_no_other_subject(shelf, make_brain):
    pairs = Colocated.on(shelf, ["p1", "p2", "p1"], SIDES, 3)
    volumes, centres = pairs.drawn(0, 500)
    assert set(map(tuple, volumes.T.tolist())) == {(0, 1), (1, 0), (1, 2), (2, 1)}
    assert pairs.brain[volumes, *centres.T].all()
    alone = shelf[0][1] & ~shelf[1][1]  # brain of two sessions of one subject, and of no other
    alone &= shelf[2][1]
    assert not alone[tuple(pairs.places.T)].any()


@pytest.mark.parametrize("sides", [SIDES, (5, 5, 5)])
def test_a_patch_is_what_lies_around_its_centre_and_0_beyond_the_frame(shelf, sides):
    pairs = Colocated.on(shelf, "abc", sides, 0)
    subjects, centres = pairs.drawn(0, 60)
    found = pairs.at(0, 60).reshape(2, 60, 2, *sides)
    rim = [side // 2 for side in sides]
    beyond = 0
    for which in range(2):
        for index, (who, centre) in enumerate(zip(subjects[which], centres, strict=True)):
            padded = np.pad(shelf[who][0].numpy(), [(0, 0), *[(one, one) for one in rim]])
            cut = [slice(at, at + side) for at, side in zip(centre, sides, strict=True)]
            assert np.array_equal(found[which, index].numpy(), padded[:, *cut])
            beyond += int((centre < rim).any() or (centre + rim >= (12, 14, 10)).any())
    assert beyond


def test_what_a_step_sees_follows_from_the_seed_and_the_step(shelf):
    one, same, other = (Colocated.on(shelf, "abc", SIDES, seed) for seed in (1, 1, 2))
    assert torch.equal(one.at(4, 30), same.at(4, 30))
    assert not torch.equal(one.at(4, 30), one.at(5, 30))
    assert not torch.equal(one.at(4, 30), other.at(4, 30))


def test_one_brain_and_brains_without_a_place_in_common_make_no_pair(make_brain):
    volume = make_brain(0, shape=(12, 14, 10))
    with Shelf([volume, volume]) as shelf, pytest.raises(ConfigError, match="two subjects"):
        Colocated.on(shelf, ["array", "array"], SIDES, 0)
    left, right = volume.brain.clone(), volume.brain.clone()
    left[6:], right[:6] = False, False
    apart = [replace(volume, brain=half) for half in (left, right)]
    with Shelf(apart) as shelf, pytest.raises(ConfigError, match="same place"):
        Colocated.on(shelf, "ab", SIDES, 0)
