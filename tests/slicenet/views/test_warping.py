import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from slicenet.views.settings import Chance
from slicenet.views.warping import SHIFT, SIZE, TURN, smooth_field, turning, warp

NEVER, ALWAYS = Chance(0.0, 1.0), Chance(1.0, 1.0)


def test_a_turn_is_a_rotation_and_a_scaling_within_its_ends(draws):
    for seed in range(30):
        found = turning(draws(seed), 1.0)
        matrix, shift = found[:, :3].double().numpy(), found[:, 3]
        rotated, sizes, _ = np.linalg.svd(matrix)
        assert np.allclose(rotated @ rotated.T, np.eye(3), atol=1e-6)
        assert (np.abs(np.log(sizes)) <= SIZE + 1e-6).all()
        assert np.linalg.det(matrix) > 0
        assert (shift.abs() <= SHIFT).all()
        polar = matrix @ np.linalg.inv(np.diag(np.linalg.norm(matrix, axis=0)))
        assert math.acos(min(1.0, (np.trace(polar) - 1) / 2)) <= 2 * TURN


def test_no_strength_changes_nothing(draws, space, ball):
    voxels, brain = ball
    still = Chance(1.0, 0.0)
    moved, mask = warp(draws(1), space, (voxels, brain[None]), still, still)
    assert torch.allclose(moved, voxels, atol=1e-5)
    assert torch.equal(mask >= 0.5, brain[None])


def test_what_is_never_done_leaves_the_very_tensors(draws, space, ball):
    voxels, brain = ball
    found = warp(draws(1), space, (voxels, brain[None]), NEVER, NEVER)
    assert found[0] is voxels


def test_a_turned_brain_is_what_scipy_samples(draws, space, ball):
    voxels, _ = ball
    # The very numbers that `warp` draws first.
    twin = draws(3)
    twin.chance((1,), 1.0), twin.chance((1,), 0.0)
    matrix = turning(twin, 1.0).double().numpy()
    (moved,) = warp(draws(3), space, (voxels,), ALWAYS, NEVER)
    step, middle = np.array(space.spacing), (np.array(space.shape) - 1) / 2
    index = np.stack(np.meshgrid(*map(np.arange, space.shape), indexing="ij"))
    at = (index - middle[:, None, None, None]) * step[:, None, None, None]
    source = np.tensordot(matrix[:, :3], at, 1) + matrix[:, 3, None, None, None]
    place = source / step[:, None, None, None] + middle[:, None, None, None]
    wanted = map_coordinates(voxels[0].numpy(), place, order=1, mode="grid-constant")
    assert np.allclose(moved[0].numpy(), wanted, atol=1e-4)


def test_smooth_fields_have_deviation_one_and_change_over_centimetres(draws, space):
    fields = smooth_field(draws(2), space, 60)
    assert fields.shape == (60, *space.shape)
    assert fields.std() == pytest.approx(1, abs=0.1)
    assert fields.diff(dim=1).std() < 0.25  # over 2 mm


def test_bending_displaces_by_about_its_strength(draws, space):
    index = space.away(torch.tensor([[9.5, 11.5, 7.5]]))[0]  # mm: what lies where
    shifts = []
    for seed in range(12):
        (moved,) = warp(draws(seed), space, (index,), NEVER, Chance(1.0, 2.0))
        shifts.append((moved - index)[:, 5:15, 6:18, 4:12])  # away from the edges
    assert torch.stack(shifts).std() == pytest.approx(2.0, rel=0.25)
