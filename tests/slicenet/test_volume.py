import itertools
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from slicenet.errors import VolumeError
from slicenet.images.options import ReadOptions
from slicenet.images.write import write_map
from slicenet.volume import Volume, from_array, read_volume
from tests.heads import head
from tests.heads import save as save_picture

SHAPE = (24, 30, 22)
PLACES = np.stack(np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in SHAPE], indexing="ij"))
BRAIN = np.linalg.norm(PLACES, axis=0) < 1
VOXELS = (np.random.default_rng(0).integers(300, 900, SHAPE) * BRAIN).astype(np.int16)
COS, SIN = np.cos(np.pi / 6), np.sin(np.pi / 6)
AFFINES = {
    "plain": np.diag([5.0, 5.0, 5.0, 1]),
    "oblique": np.array([[5 * COS, -5 * SIN, 0, 9], [5 * SIN, 5 * COS, 0, -9], [0, 0, 5, 3]]),
    "thick slices": np.diag([0.5, 0.5, 6.0, 1]),
}
AFFINES["oblique"] = np.vstack([AFFINES["oblique"], [0, 0, 0, 1]])


def save(path, voxels=VOXELS, affine=AFFINES["plain"], code=1):
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    nib.save(image, path)
    return path


def refusal(*arguments):
    with pytest.raises(VolumeError) as caught:
        read_volume(*arguments)
    return caught.value


@pytest.fixture
def scan(tmp_path):
    return save(tmp_path / "scan.nii.gz")


@pytest.fixture
def mask(tmp_path):
    return save(tmp_path / "mask.nii.gz", BRAIN.astype(np.uint8))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("depth", [SHAPE[2], 1])
def test_2_2_however_its_axes_lie_it_is_one_volume_and_is_written_back_exactly(
    tmp_path, affine, depth
):
    voxels = VOXELS[:, :, 10 : 10 + depth]
    image = nib.Nifti1Image(voxels, affine)
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            turned = image.as_reoriented(np.column_stack([order, flips]))
            path = save(tmp_path / "turned.nii", np.asarray(turned.dataobj), turned.affine)
            volume = read_volume([path], "case")
            assert np.array_equal(volume.voxels[0], voxels)
            assert np.array_equal(volume.brain, BRAIN[:, :, 10 : 10 + depth])
            assert np.allclose(volume.affine, affine, atol=1e-4)
            write_map(tmp_path / "map.nii", volume.voxels[0].numpy(), volume.grid)
            after, before = nib.load(tmp_path / "map.nii"), nib.load(path)
            assert np.array_equal(np.asarray(after.dataobj), np.asarray(before.dataobj))
            assert np.array_equal(after.affine, before.affine)
            assert np.array_equal(after.get_qform(), before.get_qform())


def test_a_given_mask_is_trusted_even_on_a_head(tmp_path, mask):
    head = save(
        tmp_path / "head.nii", np.random.default_rng(1).integers(0, 900, SHAPE).astype(np.int16)
    )
    assert np.array_equal(read_volume([head], "case", mask).brain, BRAIN)
    assert refusal([head], "case").code == "E_SKULL"


@pytest.mark.parametrize(("fill", "words"), [(0, "empty"), (1, "all voxels")])
def test_70_an_empty_and_a_full_mask_are_refused(tmp_path, scan, fill, words):
    mask = save(tmp_path / "mask.nii", np.full(SHAPE, fill, np.uint8))
    error = refusal([scan], "case", mask)
    assert error.code == "E_MASK"
    assert words in error.message
    assert "mask.nii" in error.message


def test_63_one_intensity_in_the_mask_is_refused(tmp_path, scan):
    corner = np.zeros(SHAPE, np.uint8)
    corner[:2, :2, :2] = 1
    error = refusal([scan], "case", save(tmp_path / "corner.nii", corner))
    assert error.code == "E_CONSTANT"
    assert "scan.nii.gz" in error.message


def test_sequences_become_one_volume_with_the_brain_of_the_first(tmp_path, scan):
    other = np.where(BRAIN, 1000 - VOXELS, 0)
    other[12, 15] = 0
    turned = nib.Nifti1Image(other.astype(np.int16), AFFINES["plain"]).as_reoriented(
        np.array([[2, 1], [0, -1], [1, 1]])
    )
    nib.save(turned, tmp_path / "flair.nii.gz")
    volume = read_volume([scan, tmp_path / "flair.nii.gz"], "case")
    assert volume.voxels.shape == (2, *SHAPE)
    assert np.array_equal(volume.voxels[0], VOXELS)
    assert np.array_equal(volume.voxels[1], other)
    assert np.array_equal(volume.brain, BRAIN)


def test_56_sequences_on_other_grids_are_refused_in_mm_and_degrees(tmp_path, scan):
    angle = np.radians(2)
    turned = AFFINES["plain"].copy()
    turned[:2, :2] = 5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    error = refusal([scan, save(tmp_path / "flair.nii.gz", affine=turned)], "case")
    assert error.code == "E_GRID"
    assert "flair.nii.gz" in error.message
    assert "2 degrees" in error.message
    assert " mm apart" in error.message
    shorter = save(tmp_path / "short.nii.gz", VOXELS[:, :, :-1])
    assert refusal([scan, shorter], "case").code == "E_GRID"


@pytest.mark.parametrize(("shift", "allowed"), [(0.0009, True), (0.002, False)])
def test_grids_are_one_up_to_a_thousandth_of_a_millimetre(tmp_path, scan, shift, allowed):
    affine = AFFINES["plain"].copy()
    affine[0, 3] += shift
    other = save(tmp_path / "other.nii.gz", affine=affine)
    if allowed:
        assert len(read_volume([scan, other], "case").voxels) == 2
    else:
        assert refusal([scan, other], "case").code == "E_GRID"


def test_template_space_is_told_by_the_code_or_by_the_caller(tmp_path, scan):
    template = save(tmp_path / "mni.nii.gz", code=4)
    assert read_volume([template], "case").in_template_space
    assert not read_volume([scan], "case").in_template_space
    assert read_volume([scan], "case", in_template_space=True).in_template_space


def test_the_source_is_all_that_decides_what_is_worked_on(tmp_path, scan, mask):
    smaller = BRAIN.copy()
    smaller[12] = False
    plain = read_volume([scan], "case")
    others = [
        read_volume([save(tmp_path / "b.nii.gz", VOXELS + BRAIN)], "case"),
        read_volume([scan, scan], "case"),
        read_volume([scan], "case", save(tmp_path / "m.nii", smaller.astype(np.uint8))),
        read_volume([scan], "case", in_template_space=True),
    ]
    assert len({plain.digest, *(other.digest for other in others)}) == 5
    # The name, limits, and where the same mask came from decide nothing.
    same = read_volume([scan], "other", mask, ReadOptions(max_voxels=10**6))
    assert same.digest == plain.digest


def test_notices_of_all_files_are_carried_along(tmp_path, scan, mask):
    for path in (scan, mask):
        content = path.read_bytes()
        path.write_bytes(content + b"\0" * 8)
    noticed = read_volume([scan], "case", mask).notices
    assert sorted(notice.message.split(":")[0] for notice in noticed) == [mask.name, scan.name]


def test_shapes_are_checked_once_and_the_digest_is_that_of_the_tensors(make_brain):
    volume = make_brain(0)
    assert replace(volume, name="other").digest == volume.digest
    assert replace(volume, voxels=volume.voxels + 1).digest != volume.digest
    with pytest.raises(VolumeError, match="expected"):
        replace(volume, voxels=volume.voxels[0])
    with pytest.raises(VolumeError, match="another grid"):
        replace(volume, brain=volume.brain[1:])
    with pytest.raises(VolumeError, match="empty"):
        replace(volume, brain=torch.zeros_like(volume.brain))


def test_an_array_is_a_volume_whose_zeros_are_outside():
    volume = from_array(VOXELS, AFFINES["thick slices"], "mine")
    assert isinstance(volume, Volume)
    assert np.array_equal(volume.brain, BRAIN)
    assert volume.spacing.tolist() == [0.5, 0.5, 6.0]
    assert volume.grid.shape == SHAPE
    flipped = VOXELS.astype(np.float32)[:, :, 10:11][:, :, ::-1]
    assert np.array_equal(from_array(flipped, np.eye(4)).voxels[0], flipped)


def test_a_picture_is_one_slice_as_radiologists_see_it(tmp_path):
    grey, _ = head(0)
    grey[20:26, 20:26] = 255  # up and to the left: the patient's right, in front
    volume = read_volume([save_picture(tmp_path / "a.png", grey)], "a")
    assert volume.flat
    assert volume.voxels.shape == (1, 65, 75, 1)
    x, y, _ = np.unravel_index(volume.voxels[0].argmax().item(), (65, 75, 1))
    place = volume.affine @ [x, y, 0, 1]
    assert place[0] > 0
    assert place[1] > 0
    assert volume.spacing == pytest.approx([230 / 75, 230 / 75, 1])
    stored = volume.grid.from_ras(volume.voxels[0].numpy())[..., 0].T
    np.testing.assert_array_equal(stored, grey)


def test_of_a_picture_the_head_is_looked_at_or_all_of_it(tmp_path):
    grey, _ = head(0)
    path = save_picture(tmp_path / "a.png", grey)
    one, whole = read_volume([path], "a"), read_volume([path], "a", whole=True)
    found = one.grid.from_ras(one.brain.numpy())[..., 0].T
    assert (found & (grey > 20)).sum() > 0.95 * found.sum()
    assert whole.brain.all()
    assert one.digest != whole.digest
    noise = np.random.default_rng(0).normal(20, 5, (120, 120)).astype(np.uint8)
    path = save_picture(tmp_path / "b.png", noise)
    with pytest.raises(VolumeError, match=r"b\.png: nothing that could be a head"):
        read_volume([path], "b")


def test_the_window_around_a_brain_holds_all_of_it_where_it_was(make_brain):
    volume = make_brain(0)
    window, corner = volume.around_brain()
    assert volume.brain[window].sum() == volume.brain.sum()
    first = volume.brain[window].nonzero()[0].numpy()
    assert (corner @ [*first, 1])[:3] == pytest.approx(volume.brain.nonzero()[0].numpy())
    for axis, part in enumerate(window):
        places = volume.brain.nonzero()[:, axis]
        assert part.start == max(int(places.min()) - 4, 0)
        assert part.stop == int(places.max()) + 5
