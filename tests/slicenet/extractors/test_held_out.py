from dataclasses import replace

import numpy as np
import pytest

from slicenet.errors import ConfigError
from slicenet.extractors.held_out import Noted, hold_out, noting
from slicenet.volume import from_array

SUBJECTS = ["d", "a", "b", "a", "c", "e", "b", "f"]


@pytest.mark.parametrize("seed", range(6))
def test_all_volumes_of_a_subject_fall_on_one_side(seed):
    held = hold_out(SUBJECTS, 0.5, seed)
    kept = set(range(len(SUBJECTS))) - set(held)
    assert held == sorted(held)
    assert not {SUBJECTS[place] for place in held} & {SUBJECTS[place] for place in kept}
    assert len({SUBJECTS[place] for place in held}) == 3


def test_the_same_seed_holds_out_the_same_subjects_in_any_order():
    held = {SUBJECTS[place] for place in hold_out(SUBJECTS, 0.5, 4)}
    turned = SUBJECTS[::-1]
    assert {turned[place] for place in hold_out(turned, 0.5, 4)} == held
    choices = {tuple(hold_out(SUBJECTS, 0.5, seed)) for seed in range(10)}
    assert len(choices) > 1


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_one_subject_at_least_is_on_either_side(share):
    held = {SUBJECTS[place] for place in hold_out(SUBJECTS, share, 0)}
    assert 0 < len(held) < len(set(SUBJECTS))


def test_no_share_holds_out_nobody_and_one_subject_cannot_be_divided():
    assert hold_out(["a"], 0.0, 0) == []
    with pytest.raises(ConfigError, match="single subject"):
        hold_out(["a", "a"], 0.5, 0)


def test_arrays_are_each_of_a_subject_of_their_own_though_all_are_called_alike(make_brain):
    subjects = []
    voxels = make_brain(3, shape=(8, 8, 8)).voxels[0].numpy()
    list(noting([from_array(voxels, np.eye(4))] * 4, subjects))
    assert len(hold_out(subjects, 0.5, 0)) == 2


def test_volumes_are_noted_by_their_subjects(make_brain):
    brain, subjects = make_brain(3, shape=(8, 8, 8)), []
    named = replace(brain, subject="p7")
    passed = list(noting([brain, named, named], subjects))
    assert passed[0] is brain
    assert subjects[1:] == ["p7", "p7"]
    assert subjects[0] != "p7"


def test_whose_volumes_are_is_asked_of_a_walk_that_was_made_anyway(make_brain):
    brains, walked = [make_brain(seed, shape=(8, 8, 8)) for seed in range(3)], []

    class Walked:
        def __iter__(self):
            for brain in brains:
                walked.append(brain.name)
                yield brain

    brains = [replace(brain, subject=brain.name) for brain in brains]
    noted, names = Noted(Walked()), [brain.name for brain in brains]
    assert next(iter(noted)) is brains[0]  # not to the end
    assert noted.subjects() == names
    assert list(noted) == brains
    assert noted.subjects() == names
    assert walked == [names[0], *names, *names]
