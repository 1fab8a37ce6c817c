from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
import torch

from slicenet.backends.zscore import ZScore
from slicenet.errors import VolumeError
from slicenet.frame import FrameSettings
from slicenet.images.options import ReadOptions
from slicenet.volume import Volume, from_array, read_volume

SHAPE = (30, 36, 28)
TURNS = [
    np.array([axes, flips]).T
    for axes in permutations(range(3))
    for flips in product((1, -1), repeat=3)
]
OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(z=np.radians(30)) @ np.diag([4.0, 4.0, 4.0]), (-70, 20, -50)
)


def brain(seed=0, shape=SHAPE):
    """An ellipsoid of smooth tissue with a little noise, in zeros."""
    spans = [np.linspace(-1.2, 1.2, size) if size > 2 else np.zeros(size) for size in shape]
    axes = np.meshgrid(*spans, indexing="ij")
    inside = sum(axis**2 for axis in axes) < 1
    waves = np.cos(7 * axes[0]) * np.cos(6 * axes[1]) * np.cos(8 * axes[2])
    noise = np.random.default_rng(seed).normal(0, 15, shape)
    return (inside * (600 + 150 * waves + noise)).astype(np.int16)


def saved(path, values, affine=np.diag([4.0, 4.0, 4.0, 1.0]), turn=None, code=1):
    image = nib.Nifti1Image(values, affine)
    image = image.as_reoriented(turn) if turn is not None else image
    image.set_sform(image.affine, code)
    image.set_qform(image.affine, code)
    nib.save(image, path)
    return path


@pytest.fixture(scope="module")
def detector():
    return fitted()


def fitted():
    made = ZScore(frame=FrameSettings(spacing=(4.0, 4.0, 4.0))).build()
    made.fit(
        [from_array(brain(seed), np.diag([4.0, 4.0, 4.0, 1.0]), str(seed)) for seed in range(3)]
    )
    return made


@pytest.mark.parametrize(
    "affine", [np.diag([4.0, 4.0, 4.0, 1.0]), OBLIQUE], ids=["plain", "oblique"]
)
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_scores_turn_with_the_volume(tmp_path, detector, turn, affine):
    paths = [
        saved(tmp_path / f"{i}.nii.gz", brain(9), affine, t) for i, t in enumerate((None, turn))
    ]
    for path in paths:
        detector.score(read_volume([path], "scan")).write(path.with_suffix(".map.nii"))
    straight, turned = (nib.load(path.with_suffix(".map.nii")) for path in paths)
    wanted = np.asarray(straight.as_reoriented(turn).dataobj)
    assert np.allclose(np.asarray(turned.dataobj), wanted, atol=1e-5)
    assert np.array_equal(turned.affine, nib.load(paths[1]).affine)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((60, 72, 20), (0.5, 0.5, 6.0)),
        ((60, 72, 1), (2.0, 2.0, 5.0)),
        ((1, 60, 72), (3.0, 2.0, 2.0)),
    ],
)
def test_odd_shapes_come_back_on_their_own_grid(tmp_path, detector, shape, spacing):
    path = saved(tmp_path / "a.nii.gz", brain(3, shape), np.diag([*spacing, 1.0]))
    anomalies = detector.score(read_volume([path], "odd"))
    anomalies.write(tmp_path / "map.nii.gz")
    assert nib.load(tmp_path / "map.nii.gz").shape == shape
    assert torch.isfinite(anomalies.scores).all()
    assert anomalies.scores[anomalies.brain].std() > 0


def test_the_brain_is_what_is_not_background_unless_a_mask_is_given(tmp_path):
    path = saved(tmp_path / "a.nii.gz", brain())
    mask = saved(tmp_path / "m.nii.gz", (np.indices(SHAPE)[0] < 15).astype(np.uint8))
    found, given = read_volume([path], "a"), read_volume([path], "a", mask)
    assert np.array_equal(found.brain.numpy(), brain() > 0)
    assert np.array_equal(given.brain.numpy(), np.indices(SHAPE)[0] < 15)
    assert found.digest != given.digest


@pytest.mark.parametrize(("value", "message"), [(0, "empty"), (1, "all voxels")])
def test_70_empty_and_full_masks_are_refused(tmp_path, value, message):
    path = saved(tmp_path / "a.nii.gz", brain())
    mask = saved(tmp_path / "m.nii.gz", np.full(SHAPE, value, np.uint8))
    with pytest.raises(VolumeError, match=message) as caught:
        read_volume([path], "a", mask)
    assert caught.value.code == "E_MASK"


def test_sequences_on_one_grid_become_one_volume_and_others_are_refused(tmp_path):
    first, second = (saved(tmp_path / f"{i}.nii.gz", brain(i)) for i in range(2))
    both = read_volume([first, second], "both")
    assert both.voxels.shape == (2, *SHAPE)
    assert np.array_equal(both.voxels[1].numpy(), brain(1))
    aside = saved(tmp_path / "2.nii.gz", brain(2), np.diag([4.0, 4.0, 4.1, 1.0]))
    with pytest.raises(VolumeError, match="another grid") as caught:
        read_volume([first, aside], "apart")
    assert caught.value.code == "E_GRID"
    assert "mm apart" in caught.value.message


def test_template_space_is_told_by_code_or_name(tmp_path):
    plain, mni = (saved(tmp_path / f"{c}.nii.gz", brain(), code=c) for c in (1, 4))
    assert read_volume([mni], "a").in_template_space
    assert not read_volume([plain], "a").in_template_space
    assert read_volume([plain], "a", in_template_space=True).in_template_space


def test_options_that_change_voxels_change_the_digest(tmp_path):
    path = saved(tmp_path / "a.nii.gz", np.stack([brain(0), brain(1)], -1))
    one, two = (read_volume([path], "a", options=ReadOptions(volume=k)) for k in (0, 1))
    assert one.digest != two.digest
    assert np.array_equal(two.voxels[0].numpy(), brain(1))


def test_a_volume_in_memory_is_known_by_its_numbers():
    one, two = (from_array(brain(seed), np.eye(4)) for seed in (0, 1))
    assert one.digest == from_array(brain(0), np.eye(4), "other").digest
    assert one.digest != two.digest
    assert one.digest != from_array(brain(0), 2 * np.eye(4)).digest


@pytest.mark.parametrize(
    ("voxels", "mask"),
    [
        (torch.ones(4, 4, 4), torch.ones(4, 4, 4, dtype=torch.bool)),
        (torch.ones(1, 4, 4, 4), torch.ones(4, 4, 5, dtype=torch.bool)),
        (torch.ones(1, 4, 4, 4), torch.zeros(4, 4, 4, dtype=torch.bool)),
    ],
)
def test_shapes_are_checked_at_the_border(voxels, mask):
    with pytest.raises(VolumeError):
        Volume(voxels, mask, np.eye(4), "wrong")
