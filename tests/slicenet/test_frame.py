from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from slicenet.elsewhere import ElsewhereSettings
from slicenet.errors import ConfigError, Notice, VolumeError
from slicenet.frame import Frame, FrameSettings
from slicenet.volume import Volume
from slicenet.watch import silent

COARSE = FrameSettings(spacing=(3.0, 4.0, 3.0))


def head(spacing, rotation=0.0, shift=(0.0, 0.0, 0.0), template=False):
    """The same head, a smooth function of world millimetres, sampled on another grid."""
    spacing = np.asarray(spacing, float)
    cos, sin = np.cos(rotation), np.sin(rotation)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * spacing
    shape = np.ceil(220 / spacing).astype(int)
    affine[:3, 3] = np.asarray(shift) - affine[:3, :3] @ ((shape - 1) / 2)
    index = np.stack(np.meshgrid(*[np.arange(s) for s in shape], indexing="ij"), -1)
    world = index @ affine[:3, :3].T + affine[:3, 3] - shift
    brain = (world**2 / np.array([65.0, 85.0, 60.0]) ** 2).sum(-1) < 1
    values = 100 + 20 * np.sin(world[..., 0] / 14) * np.cos(world[..., 1] / 17) + world[..., 2] / 4
    voxels = torch.from_numpy((values * brain).astype(np.float32))[None]
    return Volume(voxels, torch.from_numpy(brain), affine, "head", template)


def test_the_default_box_is_that_of_the_design():
    assert Frame(FrameSettings()).shape == (192, 224, 96)


@pytest.mark.parametrize(
    ("spacing", "rotation"),
    [((1.5, 1.5, 1.5), 0.0), ((2, 2, 2), 0.5), ((3, 1, 2), 0.0), ((1, 3, 1.5), -0.3)],
)
def test_c57_one_head_on_two_grids_gives_one_framed_volume(spacing, rotation):
    frame = Frame(COARSE)
    one, two = frame.enter(head((2, 2, 2))), frame.enter(head(spacing, rotation, (30, -20, 10)))
    both = one.brain & two.brain
    assert both.sum() > 0.95 * max(one.brain.sum(), two.brain.sum())
    difference = (one.voxels - two.voxels)[0][both].abs()
    assert difference.mean() < 0.03  # of the quartile range, which is 1
    assert difference.quantile(0.99) < 0.2


def test_in_template_space_the_box_stays_where_the_atlas_is():
    frame = Frame(COARSE)
    moved = head((3, 3, 3), shift=(12, 0, 0), template=True)
    still = head((3, 3, 3), template=True)
    assert np.allclose(frame.affine(moved), frame.affine(still))
    brains = [frame.enter(volume).brain.nonzero().float().mean(0) for volume in (moved, still)]
    assert abs(brains[0][0] - brains[1][0] - 4) < 0.3  # 12 mm are four voxels
    own = Frame(FrameSettings(spacing=COARSE.spacing, anchor="brain"))
    assert not np.allclose(own.affine(moved), own.affine(still))


@pytest.mark.parametrize(("spacing", "rotation"), [((2, 2, 2), 0.0), ((1.5, 2, 6), 0.5)])
def test_a_ramp_of_millimetres_comes_back_as_it_went_in(spacing, rotation):
    frame, volume = Frame(COARSE), head(spacing, rotation)
    affine = frame.affine(volume)
    index = np.stack(np.meshgrid(*[np.arange(s) for s in frame.shape], indexing="ij"), -1)
    ramp = torch.from_numpy((index @ affine[:3, :3].T + affine[:3, 3])[..., 1].astype(np.float32))
    back = frame.leave(ramp, torch.ones(frame.shape, dtype=torch.bool), volume)
    places = volume.brain.nonzero().numpy()
    wanted = (places @ volume.affine[:3, :3].T + volume.affine[:3, 3])[:, 1]
    assert np.abs(back[volume.brain].numpy() - wanted).max() < 1e-3
    assert (back[~volume.brain] == 0).all()


def test_a_lattice_of_larger_cells_keeps_its_place():
    frame, volume = Frame(COARSE), head((2, 2, 2))
    fine = torch.zeros(frame.shape)
    fine[30:34, 28:32, 32:36] = 1
    coarse = torch.nn.functional.avg_pool3d(fine[None], (2, 2, 4))[0]
    everywhere = torch.ones(frame.shape, dtype=torch.bool)
    maps = [
        frame.leave(m, everywhere[: m.shape[0], : m.shape[1], : m.shape[2]], volume)
        for m in (fine, coarse)
    ]
    centres = [
        (m[..., None] * volume.brain.nonzero().new_tensor(np.indices(m.shape)).movedim(0, -1)).sum(
            (0, 1, 2)
        )
        / m.sum()
        for m in maps
    ]
    assert (centres[0] - centres[1]).abs().max() < 0.3


@pytest.mark.parametrize("slices", [1, 2])
def test_thin_volumes_do_not_fall_between_the_planes_of_the_box(slices):
    whole = head((2, 2, 1))
    middle = whole.brain.shape[2] // 2
    for start in range(middle, middle + 4):
        kept = slice(start, start + slices)
        affine = whole.affine.copy()
        affine[2, 3] += start
        thin = Volume(whole.voxels[..., kept], whole.brain[..., kept], affine, "thin", True)
        frame = Frame(FrameSettings())
        framed = frame.enter(thin)
        back = frame.leave(framed.voxels[0], framed.brain, thin)
        middle_range = thin.voxels[0][thin.brain].quantile(0.75) - thin.voxels[0][
            thin.brain
        ].quantile(0.25)
        wanted = (thin.voxels[0] - thin.voxels[0][thin.brain].median()) / middle_range
        error = (back - wanted)[thin.brain].abs()
        assert error.mean() < 0.05


def test_fine_detail_does_not_fold_into_a_coarse_box():
    plain = head((1, 1, 1))
    stripes = 60.0 * (torch.arange(plain.brain.shape[0]) % 3 == 0)[:, None, None]
    striped = replace(plain, voxels=(plain.voxels + stripes) * plain.brain)
    frame = Frame(FrameSettings(spacing=(4.0, 4.0, 4.0)))
    one, two = frame.enter(plain), frame.enter(striped)
    assert (one.voxels - two.voxels)[0][one.brain].std() < 0.05  # of the quartile range
    nearest = (striped.voxels - plain.voxels)[0, ::4, ::4, ::4]
    quartiles = plain.voxels[0][plain.brain].numpy()
    spread = np.percentile(quartiles, 75) - np.percentile(quartiles, 25)
    assert nearest[plain.brain[::4, ::4, ::4]].std() / spread > 0.5  # what folding would leave


def test_a_lesion_does_not_change_how_the_rest_of_the_brain_looks(make_brain):
    frame = Frame(COARSE)
    healthy, sick = frame.enter(make_brain(1)), frame.enter(make_brain(1, lesion=True))
    away = healthy.brain.clone()
    away[34:] = False
    assert (healthy.voxels - sick.voxels)[0][away].abs().median() < 0.02


def test_the_brain_has_median_zero_and_quartile_range_one(make_brain):
    framed = Frame(COARSE).enter(make_brain(0, sequences=2))
    for sequence in framed.voxels:
        low, middle, high = np.percentile(sequence[framed.brain], [25, 50, 75])
        assert middle == pytest.approx(0, abs=1e-3)
        assert high - low == pytest.approx(1, abs=1e-2)
    assert (framed.voxels[:, ~framed.brain] == 0).all()


def test_matched_histograms_undo_a_gamma_of_the_scanner(make_brain):
    settings = FrameSettings(spacing=COARSE.spacing, intensity="histogram")
    frame, plain = Frame(settings), Frame(COARSE)
    frame.fit([make_brain(seed) for seed in range(4)], silent)
    scan = make_brain(9)
    bent = Volume((scan.voxels / 100) ** 3 * 100, scan.brain, scan.affine, "bent")
    matched = (frame.enter(bent).voxels - frame.enter(scan).voxels).abs().mean()
    unmatched = (plain.enter(bent).voxels - plain.enter(scan).voxels).abs().mean()
    assert matched < unmatched / 2


def test_a_tight_mask_changes_nothing_where_histograms_are_matched_in_the_core(make_brain):
    tight = make_brain(9)
    depth = distance_transform_edt(tight.brain.numpy(), tight.spacing)
    tight = replace(tight, brain=torch.from_numpy(depth > 12))
    found = {}
    for kind in ("histogram", "core"):
        frame = Frame(FrameSettings(spacing=COARSE.spacing, intensity=kind))
        frame.fit([make_brain(seed) for seed in range(4)], silent)
        one, other = frame.enter(make_brain(9)), frame.enter(tight)
        both = one.brain & other.brain
        found[kind] = (one.voxels - other.voxels)[0][both].abs().mean().item()
    assert found["core"] < 0.85 * found["histogram"]


def test_a_brain_outside_the_box_is_refused_and_a_cut_one_noticed():
    with pytest.raises(VolumeError, match="no brain inside"):
        Frame(COARSE).enter(head((3, 3, 3), shift=(900, 0, 0), template=True))
    framed = Frame(COARSE).enter(head((3, 3, 3), shift=(80, 0, 0), template=True))
    assert [notice.code for notice in framed.notices] == ["W_BOX"]


def test_other_sequences_than_those_learnt_from_are_refused(make_brain):
    frame = Frame(COARSE)
    frame.enter(make_brain(0))  # before it is fitted, any number will do
    frame.fit([make_brain(0, sequences=2)], silent)
    frame.enter(make_brain(1, sequences=2))
    with pytest.raises(VolumeError, match="1 sequences, where the model has learnt from 2"):
        frame.enter(make_brain(1))


def test_one_intensity_is_refused():
    flat = head((4, 4, 4))
    with pytest.raises(VolumeError, match="one number"):
        Frame(COARSE).enter(Volume(flat.brain[None].float(), flat.brain, flat.affine, "flat"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing": (0.0, 1.0, 1.0)},
        {"box": (1.0, 2.0)},
        {"anchor": "x"},
        {"intensity": "x"},
        {"spacing": (500.0, 1.0, 1.0)},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        FrameSettings(**wrong)


def picture(slices=1, flat=True):
    rows, columns = torch.linspace(-1, 1, 60), torch.linspace(-1, 1, 50)
    brain = (rows[:, None] ** 2 + columns**2 < 0.8)[..., None].expand(-1, -1, slices)
    voxels = (torch.sin(4 * rows)[:, None] + columns)[None, ..., None] * brain
    return Volume(voxels, brain.contiguous(), np.diag([3.0, 3.0, 1, 1]), "it", flat=flat)


def test_a_box_of_one_step_is_one_slice_and_a_picture_comes_back_as_it_went_in():
    frame = Frame(FrameSettings(box=(240.0, 240.0, 1.0), spacing=(3.0, 3.0, 1.0)))
    assert frame.shape == (80, 80, 1)
    volume = picture()
    framed = frame.enter(volume)
    assert framed.voxels.shape == (1, 80, 80, 1)
    assert framed.notices == ()
    back = frame.leave(framed.voxels[0], framed.brain, volume)
    inside = volume.brain
    both = torch.stack((back[inside], volume.voxels[0][inside]))
    assert torch.corrcoef(both)[0, 1] > 0.99


def test_pictures_and_volumes_need_frames_of_their_own():
    flat = Frame(FrameSettings(box=(240.0, 240.0, 1.0), spacing=(3.0, 3.0, 1.0)))
    with pytest.raises(VolumeError, match="is a volume, and the model looks at pictures"):
        flat.enter(picture(slices=5, flat=False))
    with pytest.raises(VolumeError, match="is a picture, and the model looks at volumes"):
        Frame(COARSE).enter(picture())
    assert flat.enter(picture(flat=False)).voxels.shape == (1, 80, 80, 1)  # a slice of NIfTI


def test_labels_stay_what_they_are_and_few_of_them_are_no_wonder():
    plain = head((2, 2, 2), rotation=0.3)
    labels = (plain.voxels / 10).floor() * 7 * plain.brain
    notices = (Notice("W_LOW_LEVELS", "few"), Notice("W_DOMAIN", "other"))
    framed = Frame(replace(COARSE, intensity="labels")).enter(
        replace(plain, voxels=labels, notices=notices)
    )
    assert set(framed.voxels.unique().tolist()) <= set(labels.unique().tolist())
    assert [notice.code for notice in framed.notices] == ["W_DOMAIN"]
    with pytest.raises(ConfigError, match="no other scanner"):
        replace(COARSE, intensity="labels", elsewhere=ElsewhereSettings(times=1))
