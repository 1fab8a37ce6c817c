import numpy as np
import pytest

from slicenet.flows.rotation import rotation


@pytest.mark.parametrize("channels", [2, 3, 64])
def test_a_rotation_keeps_lengths_and_handedness(channels):
    turn = rotation(channels, seed=3, place=1)
    np.testing.assert_allclose(turn @ turn.T, np.eye(channels), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_each_seed_and_place_turns_its_own_way_every_time():
    turns = [rotation(4, seed, place) for seed in (0, 1) for place in (0, 1)]
    apart = [np.abs(one - two).max() for i, one in enumerate(turns) for two in turns[:i]]
    assert min(apart) > 0.1
    np.testing.assert_array_equal(rotation(4, 1, 1), turns[-1])


def test_no_direction_is_preferred():
    turns = np.stack([rotation(3, seed, 0) for seed in range(2000)])
    np.testing.assert_allclose(turns.mean(0), 0, atol=0.06)
    np.testing.assert_allclose(np.square(turns).mean(0), 1 / 3, atol=0.04)


def test_a_model_of_today_turns_the_same_way_in_years():
    # Saved models hold the seed alone: other numbers here would silently break every one of them.
    expected = [
        [0.32666338, 0.52720185, -0.78444200],
        [-0.83379988, 0.55156744, 0.02347591],
        [0.44504921, 0.64639893, 0.61975772],
    ]
    np.testing.assert_allclose(rotation(3, 0, 0), expected, atol=1e-7)
