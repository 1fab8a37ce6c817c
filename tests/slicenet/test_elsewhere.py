from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt

from slicenet.elsewhere import Elsewhere, ElsewhereSettings, from_elsewhere
from slicenet.errors import ConfigError
from slicenet.simulation import JitterSettings

STILL = JitterSettings(0, 0, 0, 0, 0, 0)
SAME = ElsewhereSettings(
    times=2, turn=0, shift=0, scale=0, edge=(0, 0), bumps=0, thick=0, jitter=STILL
)


@pytest.fixture(scope="module")
def brain(make_brain):
    """With much air around it."""
    whole = make_brain(0, shape=(22, 26, 20), spacing=6.0)
    padded = [F.pad(part, (8,) * 6) for part in (whole.voxels, whole.brain)]
    return replace(whole, voxels=padded[0], brain=padded[1], source="")


def placed(volume):
    """Brain voxels with their places, in one order."""
    index = volume.brain.nonzero().numpy()
    world = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return world, volume.voxels[0][volume.brain].numpy()


def test_nothing_changed_is_the_same_brain_in_a_smaller_box(brain):
    found = from_elsewhere(brain, SAME, 1)
    assert found.voxels.numel() < brain.voxels.numel()
    for one, other in zip(placed(brain), placed(found), strict=True):
        assert other == pytest.approx(one, abs=1e-3)
    assert (found.voxels[0][~found.brain] == 0).all()


def test_those_as_they_are_come_first_then_each_anew(make_brain):
    volumes = [make_brain(seed, shape=(22, 26, 20), spacing=6.0) for seed in range(3)]
    volumes = [replace(volume, subject=volume.name) for volume in volumes]
    seen = Elsewhere(volumes, ElsewhereSettings(times=2))
    assert len(seen) == 9 == len(list(seen))
    assert list(seen[:3]) == volumes
    assert len({volume.digest for volume in seen}) == 9
    again = Elsewhere(volumes, ElsewhereSettings(times=2))
    assert torch.equal(seen[7].voxels, again[7].voxels)
    assert seen[7].digest == again[7].digest
    assert np.array_equal(seen[7].affine, again[7].affine)
    with pytest.raises(IndexError):
        seen[9]


def test_without_times_nothing_is_added(make_brain):
    volumes = [replace(make_brain(0), subject="p1")]
    assert list(Elsewhere(volumes, ElsewhereSettings())) == volumes


def test_copies_are_of_the_subject_of_what_they_are_made_of(make_brain):
    alike = make_brain(0, shape=(22, 26, 20), spacing=6.0)
    known = replace(alike, subject="p1")
    seen = Elsewhere([alike, known, alike, known], ElsewhereSettings(times=1))
    subjects = [volume.subject for volume in seen]
    assert subjects[:4] == subjects[4:]
    assert subjects[1] == subjects[3] == "p1"
    assert len(set(subjects)) == 3  # who has no subject is of its own
    assert all(subjects)


def test_a_mask_that_is_moved_inwards_leaves_what_is_as_deep(brain):
    found = from_elsewhere(brain, replace(SAME, edge=(6.0, 6.0)), 1)
    spacing = brain.spacing
    depth = distance_transform_edt(brain.brain.numpy(), spacing) - spacing.min() / 2
    assert int(found.brain.sum()) == (depth > 6).sum()
    wider = from_elsewhere(brain, replace(SAME, edge=(-5.0, -5.0)), 1)
    assert wider.brain.sum() > brain.brain.sum()


def test_a_thick_slice_lets_no_wave_of_its_own_length_through(brain):
    x, y, z = brain.brain.shape
    lines = [torch.arange(size) for size in (x, y, z)]
    step = float(brain.spacing[0])
    waves = sum(
        torch.sin(2 * torch.pi * line / 4) for line in torch.meshgrid(*lines, indexing="ij")
    )
    wavy = replace(brain, voxels=waves[None] + 10, brain=torch.ones_like(brain.brain), source="")
    spreads = []
    for turn in range(1, 30):
        seen = from_elsewhere(wavy, replace(SAME, thick=8 * step), turn)
        assert seen.voxels.mean() == pytest.approx(wavy.voxels.mean().item(), abs=0.05)
        spreads.append(seen.voxels.std().item())
    # One axis in three is damped, at most wholly, and somewhere it was.
    assert max(spreads) <= wavy.voxels.std().item() + 1e-4
    assert min(spreads) < 0.85 * wavy.voxels.std().item()


def test_a_registration_that_is_off_turns_scales_and_shifts_around_the_middle(brain):
    settings = replace(SAME, turn=5.0, shift=3.0, scale=0.05)
    middle = placed(brain)[0].mean(0)
    moved, angles, sizes = [], [], []
    for turn in range(1, 120):
        found = from_elsewhere(replace(brain, source="5a5a5a5a5a5a"), settings, turn)
        way = found.affine[:3, :3] @ np.linalg.inv(brain.affine[:3, :3])
        corner = np.argwhere(brain.brain.numpy()).min(0) - 4
        start = found.affine[:3, 3] - way @ (brain.affine[:3, :3] @ np.maximum(corner, 0))
        moved.append(start + way @ (middle - brain.affine[:3, 3]) - middle)
        left, size, right = np.linalg.svd(way)
        sizes += np.log(size).tolist()
        angles.append(np.degrees(np.arccos(np.clip((np.trace(left @ right) - 1) / 2, -1, 1))))
    assert np.std(moved) == pytest.approx(3.0, rel=0.25)
    assert np.std(sizes) == pytest.approx(0.05, rel=0.25)
    assert np.sqrt(np.mean(np.square(angles))) == pytest.approx(5.0, rel=0.25)


def test_a_picture_stays_in_its_plane(brain):
    middle = brain.brain.shape[2] // 2
    flat = replace(
        brain, voxels=brain.voxels[..., middle, None], brain=brain.brain[..., middle, None],
        source="", flat=True,
    )  # fmt: skip
    for turn in range(1, 6):
        found = from_elsewhere(flat, ElsewhereSettings(times=5), turn)
        assert found.brain.shape[2] == 1
        assert found.affine[2] == pytest.approx(flat.affine[2])
        assert found.affine[:2, 2] == pytest.approx([0, 0])


@pytest.mark.parametrize(
    "settings", [{"times": -1}, {"times": 21}, {"turn": -1.0}, {"edge": (2.0, 1.0)}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="elsewhere"):
        ElsewhereSettings(**settings)
